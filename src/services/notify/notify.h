/* notify/notify.h - what people are told: the contract of the notify service. It has no ops: it
 * follows outboxes. */
#pragma once

#include "platform/node/node.h"

extern const struct service notify_service;
