/* identity/session.h - sign-in, sign-out, and whose an access token is.
 *
 * A session is one pair of opaque 256-bit tokens, kept as SHA-256. Revoked is for good.
 *
 *   (sign-in) ──session_begin──▶ live ──access_expires_ms──▶ expired
 *                                 └──post_logout──▶ revoked */
#pragma once

#include "platform/http/http.h"
#include "services/identity/account.h"

enum { ACCESS_LIFE_S = 43200, REFRESH_LIFE_S = 30 * 86400 };

/* Begins a session of this account and answers {user, access_token, token_type, expires_in,
 * refresh_token}. */
err session_begin(struct req *req, int status, const struct account *account);
/* The contract of identity_token_verify. */
err session_verify(struct call *call, str token, struct identity_token_verified *ret);

extern const struct route_table session_routes;
/* Chore: forgets sessions whose refresh token has ended, and old failures. */
err session_forget(struct call *call, int64_t *ret_next_ms);
