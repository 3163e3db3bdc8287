/* gateway/gateway.h - the door: who a request comes from, and the pages. */
#pragma once

#include "platform/http/http.h"

extern const struct service gateway_service;

/* For http_options: fills call.caller from the bearer token. */
err gateway_authenticate(struct req *req);
/* For http_options: rate limits. */
err gateway_admit(struct req *req);
