/* notify/notify.h - what people are told: the contract of the notify service. It has no ops: it
 * follows outboxes. */
#pragma once

#include "platform/node/node.h"

extern const struct service notify_service;

/* Would a mail leave now? Sends none. ERR_UNAVAILABLE: *ret_why says why not. */
err notify_check(struct call *call, str *ret_why);
