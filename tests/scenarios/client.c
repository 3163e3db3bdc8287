/* scenarios/client.c - sends one request and keeps the whole answer. */
#include "scenario.h"

#include <curl/curl.h>
#include <string.h>

#include "base/buf.h"

enum { BODY_SIZE_MAX = 32 * 1024 * 1024 };

static size_t take(char *data, size_t one, size_t count, void *arg)
{
    buf_add((struct buf *)arg, (str){data, one * count});
    return one * count;
}

static struct curl_slist *header_list(struct scenario *scenario, str token,
                                      const char *const *headers, bool json)
{
    struct curl_slist *list = NULL;

    if (token.ptr != NULL)
        list = curl_slist_append(
            list, arena_printf(scenario->arena, "Authorization: Bearer %.*s", STR_ARG(token)).ptr);
    if (json)
        list = curl_slist_append(list, "Content-Type: application/json");
    list = curl_slist_append(list, "Expect:");
    for (; headers != NULL && *headers != NULL; headers++)
        list = curl_slist_append(list, *headers);
    return list;
}

static CURLcode perform(struct scenario *scenario, str method, str path, str token,
                        const char *const *headers, str body, struct answer *ret)
{
    struct buf head = buf_in(scenario->arena, BODY_SIZE_MAX);
    struct buf text = buf_in(scenario->arena, BODY_SIZE_MAX);
    CURL *curl = curl_easy_init();
    struct curl_slist *list = header_list(scenario, token, headers, body.ptr != NULL);

    curl_easy_setopt(curl, CURLOPT_URL,
                     arena_printf(scenario->arena, "%s%.*s", scenario->url, STR_ARG(path)).ptr);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, arena_cstr(scenario->arena, method));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &head);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &text);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    if (str_eq(method, STR("HEAD")))
        curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    if (body.ptr != NULL) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.ptr);
    }
    const CURLcode code = curl_easy_perform(curl);
    *ret = (struct answer){.status = 0};
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &ret->status);
    ret->headers = buf_str(&head);
    ret->body = buf_str(&text);
    curl_slist_free_all(list);
    curl_easy_cleanup(curl);
    return code;
}

bool client_try(struct scenario *scenario, str method, str path, str token,
                const char *const *headers, str body, struct answer *ret)
{
    return perform(scenario, method, path, token, headers, body, ret) == CURLE_OK;
}

bool client_send(struct scenario *scenario, str method, str path, str token,
                 const char *const *headers, str body, struct answer *ret)
{
    const CURLcode code = perform(scenario, method, path, token, headers, body, ret);

    if (code != CURLE_OK)
        scenario_fail(scenario, "%.*s %.*s: %s", STR_ARG(method), STR_ARG(path),
                      curl_easy_strerror(code));
    return code == CURLE_OK;
}

str answer_header(const struct answer *answer, str name)
{
    str rest = answer->headers;
    str line;

    while (str_split(&rest, '\n', &line)) {
        str field;
        str value = line;

        if (str_split(&value, ':', &field) && value.ptr != NULL && str_eq_nocase(field, name))
            return str_trim(value);
    }
    return STR_ABSENT;
}
