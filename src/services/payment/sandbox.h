/* payment/sandbox.h - what the sandbox can be told besides what every provider can. */
#pragma once

#include "services/payment/provider.h"

/* The buyer's answer on the sandbox's 3-D Secure page. ERR_NOT_FOUND. */
err sandbox_answer_challenge(struct call *call, str key, bool approved);
