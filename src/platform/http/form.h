/* platform/http/form.h - uploads: the multipart/form-data body of a request. */
#pragma once

#include "platform/http/http.h"
#include "platform/http/multipart.h"

/* Reads the parts of the body by `rules` into ret[count]; they live as long as the request. 413 if
 * the body is more than the route takes, then as multipart_read: 415, 400, 413, 422. A refusal
 * that is about one part points at it. */
err req_form(struct req *req, const struct part_rule *rules, size_t count, struct part *ret);
