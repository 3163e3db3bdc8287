/* platform/cache/url.c - cache.url, read strictly: what is not understood stops the start instead
 * of being guessed.
 *
 * A URL holds a password, so no complaint repeats any part of it. */
#include "platform/cache/url.h"

#define FORMS                                                 \
    "memory:, redis://[[user]:password@]host[:port][/db] or " \
    "redis+sentinel://[[user]:password@]host[:port][,...]/master[/db]"

static err refuse(struct arena *arena, const char *what, str *ret_why)
{
    *ret_why = arena_printf(arena, "cache.url: %s", what);
    return ERR_INVALID;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 3986 2.1; NULL if it is broken or holds a NUL. */
static const char *decode(struct arena *arena, str text)
{
    char *plain = arena_alloc(arena, text.size + 1);
    size_t size = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.ptr[i] != '%') {
            plain[size++] = text.ptr[i];
            continue;
        }
        const int high = i + 2 < text.size ? hex_digit(text.ptr[i + 1]) : -1;
        const int low = i + 2 < text.size ? hex_digit(text.ptr[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0)
            return NULL;
        plain[size++] = (char)(high * 16 + low);
        i += 2;
    }
    return plain;
}

/* "user:password", ":password"; what stands before the last '@'. */
static err read_credentials(str text, struct arena *arena, struct cache_url *url, str *ret_why)
{
    str password = text;
    str user = STR_ABSENT;

    (void)str_split(&password, ':', &user);
    if (password.ptr == NULL || password.size == 0)
        return refuse(arena, "before the @ comes user:password or :password", ret_why);
    url->user = user.size > 0 ? decode(arena, user) : NULL;
    url->password = decode(arena, password);
    if (url->password == NULL || (user.size > 0 && url->user == NULL))
        return refuse(arena, "a % in user or password is not followed by two hex digits", ret_why);
    return ERR_OK;
}

/* "host", "host:port", "[::1]:port" */
static err read_host(str text, int standard_port, struct arena *arena, struct cache_url *url,
                     str *ret_why)
{
    struct cache_host *host = &url->hosts[url->host_count];
    size_t end = 0;
    int64_t port = standard_port;

    if (url->host_count == CACHE_HOSTS_MAX)
        return refuse(arena, "more than 8 hosts", ret_why);
    if (str_starts(text, STR("["))) {
        while (end < text.size && text.ptr[end] != ']')
            end++;
        host->name = arena_cstr(arena, str_slice(text, 1, end));
        end++;
    } else {
        while (end < text.size && text.ptr[end] != ':')
            end++;
        host->name = arena_cstr(arena, str_slice(text, 0, end));
    }
    if (host->name == NULL || host->name[0] == '\0' || end > text.size)
        return refuse(arena, "a host is missing", ret_why);
    if (end < text.size &&
        (text.ptr[end] != ':' || !str_to_i64(str_slice(text, end + 1, text.size), &port) ||
         port < 1 || port > 65535))
        return refuse(arena, "a port is not between 1 and 65535", ret_why);
    host->port = (int)port;
    url->host_count++;
    return ERR_OK;
}

static err read_database(str text, struct arena *arena, struct cache_url *url, str *ret_why)
{
    int64_t number = 0;

    if (text.ptr == NULL || text.size == 0)
        return ERR_OK;
    if (!str_to_i64(text, &number) || number < 0 || number > CACHE_DATABASE_MAX)
        return refuse(arena, "the database is not a number between 0 and 999", ret_why);
    url->database = (int)number;
    return ERR_OK;
}

static err read_redis(str rest, struct arena *arena, struct cache_url *url, str *ret_why)
{
    str host = STR_ABSENT;

    (void)str_split(&rest, '/', &host);
    TRY(read_host(host, REDIS_PORT, arena, url, ret_why));
    return read_database(rest, arena, url, ret_why);
}

static err read_sentinels(str rest, struct arena *arena, struct cache_url *url, str *ret_why)
{
    str hosts = STR_ABSENT;
    str host = STR_ABSENT;
    str master = STR_ABSENT;

    (void)str_split(&rest, '/', &hosts);
    while (str_split(&hosts, ',', &host))
        TRY(read_host(host, SENTINEL_PORT, arena, url, ret_why));
    (void)str_split(&rest, '/', &master);
    if (master.size == 0)
        return refuse(arena, "the master's name is missing behind the Sentinels", ret_why);
    url->master = arena_cstr(arena, master);
    return read_database(rest, arena, url, ret_why);
}

/* Cuts "scheme" off *rest. */
static bool cut(str *rest, str scheme)
{
    if (!str_starts(*rest, scheme))
        return false;
    *rest = str_slice(*rest, scheme.size, rest->size);
    return true;
}

err cache_url_read(str text, struct arena *arena, struct cache_url *ret, str *ret_why)
{
    struct cache_url url = {0};
    str rest = text;
    size_t at = 0;

    if (str_eq(text, STR("memory:"))) {
        *ret = (struct cache_url){.is_memory = true};
        return ERR_OK;
    }
    if (str_starts(text, STR("rediss:")) || str_starts(text, STR("rediss+sentinel:")))
        return refuse(arena,
                      "TLS to Redis is not built in: put a tunnel between, or use redis:", ret_why);
    const bool has_sentinels = cut(&rest, STR("redis+sentinel://"));
    if (!has_sentinels && !cut(&rest, STR("redis://")))
        return refuse(arena, "understood are " FORMS, ret_why);
    for (at = rest.size; at > 0 && rest.ptr[at - 1] != '@';)
        at--;
    if (at > 0) {
        TRY(read_credentials(str_slice(rest, 0, at - 1), arena, &url, ret_why));
        rest = str_slice(rest, at, rest.size);
    }
    TRY(has_sentinels ? read_sentinels(rest, arena, &url, ret_why)
                      : read_redis(rest, arena, &url, ret_why));
    *ret = url;
    return ERR_OK;
}
