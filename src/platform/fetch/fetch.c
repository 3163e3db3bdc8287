/* platform/fetch/fetch.c - sends one request by libcurl and reads its answer.
 *
 * Handles are kept with their connections and given out one at a time: a handle belongs to one
 * thread while a request is under way. */
#include "platform/fetch/fetch.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "base/buf.h"
#include "base/mem.h"

enum {
    CONNECT_TIMEOUT_MS = 5000,
    TOTAL_TIMEOUT_MS = 20000,
    IDLE_MAX_S = 60,
    KEPT_MAX = 16,
    RETRY_AFTER_MAX_S = 86400,
};

struct curl_fetcher {
    struct fetcher fetcher; /* the first member */
    struct fetcher_options options;
    char *ca_file;
    pthread_mutex_t lock;
    CURL *kept[KEPT_MAX];
    size_t kept_count;
};

/* One answer under way. */
struct reading {
    struct arena *arena;
    struct fetch_answer *answer;
    struct buf body;
};

/* --- Rules: no I/O --- */

static bool is_loopback(const char *host)
{
    struct in_addr address;

    if (inet_pton(AF_INET, host, &address) == 1)
        return ntohl(address.s_addr) >> 24 == 127;
    return str_eq_nocase(str_of(host), STR("localhost")) || str_eq(str_of(host), STR("[::1]"));
}

/* Has the url that part? */
static bool has_part(CURLU *url, CURLUPart part)
{
    char *text = NULL;
    const bool has = curl_url_get(url, part, &text, 0) == CURLUE_OK;

    curl_free(text);
    return has;
}

static bool is_fetched(CURLU *url)
{
    char *scheme = NULL;
    char *host = NULL;
    bool fetched = false;

    if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        fetched =
            strcmp(scheme, "https") == 0 || (strcmp(scheme, "http") == 0 && is_loopback(host));
    curl_free(host);
    curl_free(scheme);
    return fetched && !has_part(url, CURLUPART_USER);
}

static bool check_url(const char *text, bool is_base)
{
    CURLU *url = curl_url();
    const bool ok =
        url != NULL && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && is_fetched(url) &&
        (!is_base || (!has_part(url, CURLUPART_QUERY) && !has_part(url, CURLUPART_FRAGMENT)));

    curl_url_cleanup(url);
    return ok;
}

bool fetch_is_base_url(str url)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    return url.size > 0 && memchr(url.ptr, '\0', url.size) == NULL &&
           check_url(arena_cstr(arena, url), true);
}

void fetch_add_header(struct fetch_request *request, str name, str value)
{
    assert(request->header_count < FETCH_HEADERS_MAX);
    request->headers[request->header_count++] = (struct fetch_header){name, value};
}

str fetch_header(const struct fetch_answer *answer, str name)
{
    for (size_t i = 0; i < answer->header_count; i++)
        if (str_eq(answer->headers[i].name, name))
            return answer->headers[i].value;
    return STR_ABSENT;
}

int64_t fetch_retry_after_s(const struct fetch_answer *answer)
{
    int64_t seconds = 0;

    if (!str_to_i64(fetch_header(answer, STR("retry-after")), &seconds) || seconds < 0)
        return 0;
    return seconds < RETRY_AFTER_MAX_S ? seconds : RETRY_AFTER_MAX_S;
}

static void add_encoded(struct buf *form, str text)
{
    for (size_t i = 0; i < text.size; i++) {
        const unsigned char c = (unsigned char)text.ptr[i];

        if (isalnum(c) || strchr("-._~[]", c) != NULL)
            buf_add_char(form, (char)c);
        else
            buf_printf(form, "%%%02X", c);
    }
}

void fetch_add_form(struct buf *form, str name, str value)
{
    if (form->size > 0)
        buf_add_char(form, '&');
    add_encoded(form, name);
    buf_add_char(form, '=');
    add_encoded(form, value);
}

static bool has_line_end(str text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.ptr[i] == '\r' || text.ptr[i] == '\n' || text.ptr[i] == '\0')
            return true;
    return false;
}

/* --- What libcurl calls --- */

static size_t read_body(char *data, /* NOLINT(readability-non-const-parameter): libcurl's type */
                        size_t size, size_t count, void *arg)
{
    struct reading *reading = arg;

    buf_add(&reading->body, (str){data, size * count});
    return reading->body.overflow ? 0 : size * count;
}

static void add_answer_header(struct reading *reading, str name, str value)
{
    struct fetch_answer *answer = reading->answer;
    char *lower = arena_alloc(reading->arena, name.size + 1);

    for (size_t i = 0; i < name.size; i++)
        lower[i] = (char)tolower((unsigned char)name.ptr[i]);
    answer->headers[answer->header_count++] = (struct fetch_header){
        {lower, name.size},
        arena_str(reading->arena, str_trim(value))
    };
}

/* A status line begins a new answer: what an informational one (100) said does not count. */
static size_t read_header(char *data, /* NOLINT(readability-non-const-parameter): libcurl's type */
                          size_t size, size_t count, void *arg)
{
    struct reading *reading = arg;
    str value = {data, size * count};
    str name = STR_ABSENT;

    if (str_starts(value, STR("HTTP/")))
        reading->answer->header_count = 0;
    else if (reading->answer->header_count < FETCH_HEADERS_MAX && str_split(&value, ':', &name) &&
             value.ptr != NULL)
        add_answer_header(reading, name, value);
    return size * count;
}

/* --- Handles --- */

/* What stays the same for every request. */
static bool set_options(CURL *handle, const struct curl_fetcher *curl)
{
    const struct fetcher_options *options = &curl->options;

    return curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) ==
               CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK && /* nor the environment's */
           curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) ==
               CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
           (curl->ca_file == NULL ||
            curl_easy_setopt(handle, CURLOPT_CAINFO, curl->ca_file) == CURLE_OK) &&
           curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)options->connect_timeout_ms) ==
               CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)options->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_MAXAGE_CONN, (long)IDLE_MAX_S) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, read_body) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, read_header) == CURLE_OK;
}

/* One that was kept, or a new one; NULL if libcurl has none to give. */
static CURL *take_handle(struct curl_fetcher *curl)
{
    CURL *handle = NULL;

    (void)pthread_mutex_lock(&curl->lock);
    if (curl->kept_count > 0)
        handle = curl->kept[--curl->kept_count];
    (void)pthread_mutex_unlock(&curl->lock);
    if (handle == NULL)
        handle = curl_easy_init();
    if (handle != NULL && !set_options(handle, curl)) {
        curl_easy_cleanup(handle);
        return NULL;
    }
    return handle;
}

/* Keeps the handle with its connections, if there is room; what it was told is forgotten. */
static void give_back(struct curl_fetcher *curl, CURL *handle)
{
    curl_easy_reset(handle);
    (void)pthread_mutex_lock(&curl->lock);
    const bool kept = curl->kept_count < KEPT_MAX;
    if (kept)
        curl->kept[curl->kept_count++] = handle;
    (void)pthread_mutex_unlock(&curl->lock);
    if (!kept)
        curl_easy_cleanup(handle);
}

/* --- One request --- */

static bool add_line(struct curl_slist **lines, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*lines, line);

    if (longer == NULL)
        return false;
    *lines = longer;
    return true;
}

/* NULL: out of memory. Without "Expect: 100-continue", which would cost a round trip. */
static struct curl_slist *lines_of(struct arena *arena, const struct fetch_request *request)
{
    struct curl_slist *lines = NULL;
    bool ok = add_line(&lines, "Expect:");

    for (size_t i = 0; ok && i < request->header_count; i++)
        ok = add_line(&lines, arena_printf(arena, "%.*s: %.*s", STR_ARG(request->headers[i].name),
                                           STR_ARG(request->headers[i].value))
                                  .ptr);
    if (!ok) {
        curl_slist_free_all(lines);
        return NULL;
    }
    return lines;
}

static bool set_request(CURL *handle, struct arena *arena, const struct fetch_request *request,
                        const struct curl_slist *lines, struct reading *reading)
{
    const str body = request->body.ptr != NULL ? request->body : STR("");

    return curl_easy_setopt(handle, CURLOPT_URL, arena_cstr(arena, request->url)) == CURLE_OK &&
           (request->body.ptr == NULL
                ? curl_easy_setopt(handle, CURLOPT_HTTPGET, 1L) == CURLE_OK
                : curl_easy_setopt(handle, CURLOPT_POST, 1L) == CURLE_OK &&
                      curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE,
                                       (curl_off_t)body.size) == CURLE_OK &&
                      curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body.ptr) == CURLE_OK) &&
           curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HTTPHEADER, lines) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_WRITEDATA, reading) == CURLE_OK &&
           curl_easy_setopt(handle, CURLOPT_HEADERDATA, reading) == CURLE_OK;
}

static bool was_sent(CURL *handle, CURLcode result)
{
    long size = 0;

    switch ((int)result) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
        return false;
    default:
        return curl_easy_getinfo(handle, CURLINFO_REQUEST_SIZE, &size) != CURLE_OK || size > 0;
    }
}

static err perform(CURL *handle, struct reading *reading, const char **ret_why)
{
    struct fetch_answer *answer = reading->answer;
    long status = 0;
    const CURLcode result = curl_easy_perform(handle);

    if (reading->body.overflow) {
        *answer = (struct fetch_answer){.sent = true};
        *ret_why = "the answer is too large";
        return ERR_TOO_LARGE;
    }
    if (result != CURLE_OK ||
        curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK) {
        *answer = (struct fetch_answer){.sent = was_sent(handle, result)};
        *ret_why = curl_easy_strerror(result);
        return ERR_UNAVAILABLE;
    }
    answer->status = (int)status;
    answer->body = reading->body.size > 0 ? buf_str(&reading->body) : STR("");
    answer->sent = true;
    return ERR_OK;
}

static err check_request(struct arena *arena, const struct fetch_request *request)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (has_line_end(request->headers[i].name) || has_line_end(request->headers[i].value))
            return ERR_INVALID;
    if (has_line_end(request->url) || !check_url(arena_cstr(arena, request->url), false))
        return ERR_INVALID;
    return ERR_OK;
}

static err curl_send(struct fetcher *fetcher, struct arena *arena,
                     const struct fetch_request *request, struct fetch_answer *ret,
                     const char **ret_why)
{
    struct curl_fetcher *curl = (struct curl_fetcher *)fetcher;
    struct fetch_answer answer = {0};
    struct reading reading = {arena, &answer, buf_in(arena, curl->options.answer_size_max)};
    const char *why = "libcurl has no memory";

    *ret = (struct fetch_answer){0};
    TRY(check_request(arena, request));
    CURL *handle = take_handle(curl);
    struct curl_slist *lines = lines_of(arena, request);
    err e = ERR_UNAVAILABLE;
    if (handle != NULL && lines != NULL && set_request(handle, arena, request, lines, &reading))
        e = perform(handle, &reading, &why);
    if (handle != NULL)
        give_back(curl, handle);
    curl_slist_free_all(lines);
    *ret = answer;
    if (ret_why != NULL)
        *ret_why = e == ERR_OK ? NULL : why;
    return e;
}

/* --- Opening and closing --- */

static void curl_close(struct fetcher *fetcher)
{
    struct curl_fetcher *curl = (struct curl_fetcher *)fetcher;

    for (size_t i = 0; i < curl->kept_count; i++)
        curl_easy_cleanup(curl->kept[i]);
    (void)pthread_mutex_destroy(&curl->lock);
    mem_free(curl->ca_file);
    mem_free(curl);
}

static void init_curl(void)
{
    /* Only this: whoever else in the process uses libcurl does the same, and it counts. */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

err fetcher_open(const struct fetcher_options *options, struct fetcher **ret)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (pthread_once(&once, init_curl) != 0)
        return ERR_UNAVAILABLE;
    struct curl_fetcher *curl = mem_new(struct curl_fetcher);
    curl->fetcher = (struct fetcher){.send = curl_send, .close = curl_close};
    curl->options = *options;
    if (options->connect_timeout_ms == 0)
        curl->options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (options->timeout_ms == 0)
        curl->options.timeout_ms = TOTAL_TIMEOUT_MS;
    if (options->answer_size_max == 0)
        curl->options.answer_size_max = FETCH_ANSWER_SIZE_MAX;
    if (options->ca_file != NULL) {
        const size_t size = strlen(options->ca_file) + 1;

        curl->ca_file = mem_alloc(size);
        memcpy(curl->ca_file, options->ca_file, size);
    }
    if (pthread_mutex_init(&curl->lock, NULL) != 0) {
        mem_free(curl->ca_file);
        mem_free(curl);
        return ERR_UNAVAILABLE;
    }
    *ret = &curl->fetcher;
    return ERR_OK;
}
