/* contract/contract.h - what api/openapi.yaml says, as rows; rows.py writes them. */
#pragma once

#include "platform/http/http.h"

struct contract_route {
    enum method method;
    const char *path;
    enum auth auth;
    size_t body_max; /* 0: takes none */
    enum idempotency idempotency;
};

struct contract_code {
    int status;
    const char *name;
    const char *title;
};
