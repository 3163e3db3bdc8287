/* platform/http/refusal.c - the whole answer to bytes that never became a request.
 *
 * H2O has no part in it, so it carries the headers of every answer by itself. */

#include <assert.h>

#include "base/time.h"
#include "platform/http/internal.h"

void refusal_write(const struct refusal *refusal, int64_t now_ms, struct uuid id, struct buf *text)
{
    const struct time_text date = time_format_http(now_ms);
    const struct id_text request = id_format("req", id);
    const char *name = err_name(refusal->error);
    const char *title = err_title(refusal->error);
    const int status = err_status(refusal->error);
    struct buf body = buf_on_heap(HTTP_REFUSAL_SIZE_MAX);

    buf_printf(&body,
               "{\"type\":\"/problems/%s\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\","
               "\"code\":\"%s\",\"request_id\":\"%s\"}",
               name, title, status, refusal->detail, name, request.text);
    buf_printf(text,
               "HTTP/1.1 %d %s\r\nDate: %s\r\nConnection: close\r\nContent-Length: %zu\r\n"
               "content-type: application/problem+json\r\ncache-control: no-store\r\n"
               "x-content-type-options: nosniff\r\nreferrer-policy: no-referrer\r\n"
               "x-request-id: %s\r\n%s\r\n",
               status, title, date.text, body.size, request.text,
               status == 503 ? "retry-after: 1\r\n" : "");
    buf_add(text, buf_str(&body));
    assert(!body.overflow && !text->overflow);
    buf_done(&body);
}
