/* identity/state.h - what one running identity instance keeps in memory. */
#pragma once

#include "platform/node/node.h"

struct session_cache;

struct identity {
    struct session_cache *sessions; /* verdicts on access tokens */
};

static inline struct identity *identity_of(const struct call *call)
{
    return (struct identity *)call->self->state;
}
