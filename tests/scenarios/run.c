/* scenarios/run.c - plays .scn files against the real program: one line, one step. See README.md beside it. */
#include "scenario.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"

enum {
    LINE_SIZE_MAX = 64 * 1024,
    HEADERS_MAX = 16,
    OUTPUT_SIZE_MAX = 4 * 1024 * 1024,
    SOON_TRIES = 150, /* of a tenth of a second */
};

static str next_word(str *rest)
{
    str word;

    *rest = str_trim(*rest);
    if (!str_split(rest, ' ', &word))
        return STR("");
    return word;
}

static void set_text(struct scenario *scenario, const char *name, str value)
{
    json_object_set_new(scenario->vars, name, json_stringn(value.ptr, value.size));
}

/* --- Steps --- */

/* "<Name: value>" after the status: a header that must be there; "*" is any value, "$name" takes it. */
static void check_header(struct scenario *scenario, const struct answer *answer, str spec)
{
    str value = spec;
    str name;

    if (!str_split(&value, ':', &name))
        return;
    const str got = answer_header(answer, name);
    value = str_trim(value);
    if (got.ptr == NULL)
        scenario_fail(scenario, "no header %.*s", STR_ARG(name));
    else if (value.size > 1 && value.ptr[0] == '$')
        set_text(scenario, arena_cstr(scenario->arena, str_slice(value, 1, value.size)), got);
    else if (!str_eq(value, STR("*")) && !str_eq(value, got))
        scenario_fail(scenario, "header %.*s: want \"%.*s\", got \"%.*s\"", STR_ARG(name),
                      STR_ARG(value), STR_ARG(got));
}

static void check_body(struct scenario *scenario, const struct answer *answer, str pattern)
{
    json_error_t error;
    const str text = vars_expand(scenario, pattern, true);
    json_t *want = json_loadb(text.ptr, text.size, JSON_DECODE_ANY, &error);
    json_t *got = json_loadb(answer->body.ptr, answer->body.size, JSON_DECODE_ANY, NULL);
    str where = STR("");

    if (want == NULL)
        scenario_fail(scenario, "bad pattern: %s: %.*s", error.text, STR_ARG(text));
    else if (got == NULL || !pattern_matches(scenario, want, got, &where))
        scenario_fail(scenario, "differs at \"%.*s\": want %.*s\n#     got %.*s", STR_ARG(where),
                      STR_ARG(text), STR_ARG(answer->body));
    json_decref(want);
    json_decref(got);
}

static void check_answer(struct scenario *scenario, const struct answer *answer, str expected)
{
    int64_t status = 0;
    str rest = expected;

    if (!str_to_i64(next_word(&rest), &status) || status != answer->status) {
        scenario_fail(scenario, "want %.*s, got %ld %.*s", STR_ARG(expected), answer->status,
                      STR_ARG(answer->body));
        return;
    }
    for (rest = str_trim(rest); rest.size > 0 && rest.ptr[0] == '<'; rest = str_trim(rest)) {
        str spec;
        str tail = rest;

        if (!str_split(&tail, '>', &spec))
            break;
        check_header(scenario, answer, vars_expand(scenario, str_slice(spec, 1, spec.size), false));
        rest = tail;
    }
    if (rest.size > 0)
        check_body(scenario, answer, rest);
}

struct request {
    str method;
    str path;
    str token;
    const char *headers[HEADERS_MAX + 1];
    str body; /* absent: none */
};

static bool read_request(struct scenario *scenario, str name, str rest, struct request *ret)
{
    json_t *token = json_object_get(scenario->vars,
                                    arena_printf(scenario->arena, "token_%.*s", STR_ARG(name)).ptr);
    size_t count = 0;

    *ret = (struct request){.method = next_word(&rest)};
    ret->path = vars_expand(scenario, next_word(&rest), false);
    for (rest = str_trim(rest); rest.size > 0 && rest.ptr[0] == '<' && count < HEADERS_MAX;
         rest = str_trim(rest)) {
        str spec;
        str tail = rest;

        if (!str_split(&tail, '>', &spec))
            break;
        ret->headers[count++] = arena_cstr(
            scenario->arena, vars_expand(scenario, str_slice(spec, 1, spec.size), false));
        rest = tail;
    }
    if (token == NULL && !str_eq(name, STR("anon"))) {
        scenario_fail(scenario, "nobody is called %.*s", STR_ARG(name));
        return false;
    }
    ret->token = str_of(json_string_value(token));
    ret->body = rest.size > 0 ? vars_expand(scenario, rest, true) : STR_ABSENT;
    return true;
}

/* Until something else has recovered the answer may be a 503 that says when to come again, or none. */
static void await_recovery(struct scenario *scenario, const struct request *request)
{
    static const struct timespec apart = {.tv_nsec = 100 * 1000 * 1000};
    struct answer answer;

    for (int i = 0; i < SOON_TRIES; i++) {
        if (client_try(scenario, request->method, request->path, request->token, request->headers,
                       request->body, &answer) &&
            (answer.status != 503 || answer_header(&answer, STR("retry-after")).ptr == NULL))
            return;
        (void)nanosleep(&apart, NULL);
    }
    scenario_fail(scenario, "it has not recovered in %d s", SOON_TRIES / 10);
}

/* NAME METHOD PATH [<Header: value>]... [BODY] -> STATUS [<Header: value>]... [PATTERN] */
static void step_request(struct scenario *scenario, str name, str rest, str expected, bool soon)
{
    struct request request;
    struct answer answer;

    if (!read_request(scenario, name, rest, &request))
        return;
    if (soon)
        await_recovery(scenario, &request);
    if (client_send(scenario, request.method, request.path, request.token, request.headers,
                    request.body, &answer))
        check_answer(scenario, &answer, expected);
}

/* user NAME ROLE: registers NAME@example.test and keeps the token. */
static void step_user(struct scenario *scenario, str rest)
{
    struct answer answer;
    const str name = next_word(&rest);
    const str role = next_word(&rest);
    const str extra =
        str_eq(role, STR("vendor"))
            ? arena_printf(scenario->arena, ",\"vendor_name\":\"%.*s Events\"", STR_ARG(name))
            : STR("");
    const str body =
        arena_printf(scenario->arena,
                     "{\"email\":\"%.*s@example.test\",\"password\":\"correct horse "
                     "%.*s\",\"name\":\"%.*s\",\"role\":\"%.*s\"%.*s}",
                     STR_ARG(name), STR_ARG(name), STR_ARG(name), STR_ARG(role), STR_ARG(extra));

    if (!client_send(scenario, STR("POST"), STR("/register"), STR_ABSENT, NULL, body, &answer))
        return;
    json_t *got = json_loadb(answer.body.ptr, answer.body.size, 0, NULL);
    json_t *token = json_object_get(got, "access_token");
    if (answer.status != 201 || token == NULL)
        scenario_fail(scenario, "cannot register: %ld %.*s", answer.status, STR_ARG(answer.body));
    else {
        json_object_set(scenario->vars,
                        arena_printf(scenario->arena, "token_%.*s", STR_ARG(name)).ptr, token);
        json_object_set(scenario->vars,
                        arena_printf(scenario->arena, "user_%.*s", STR_ARG(name)).ptr,
                        json_object_get(json_object_get(got, "user"), "id"));
        json_t *vendor = json_object_get(json_object_get(got, "user"), "vendor_id");
        if (vendor != NULL)
            json_object_set(scenario->vars,
                            arena_printf(scenario->arena, "vendor_%.*s", STR_ARG(name)).ptr,
                            vendor);
    }
    json_decref(got);
}

/* shell COMMAND -> EXIT STATUS: what it prints last is $output. */
static void step_shell(struct scenario *scenario, str command, str expected)
{
    struct buf out = buf_in(scenario->arena, OUTPUT_SIZE_MAX);
    char block[4096];
    size_t size;
    int64_t want = 0;

    engine_prepare(scenario);
    set_text(scenario, "data", str_of(scenario->data_dir));
    set_text(scenario, "url", str_of(scenario->url));
    set_text(scenario, "boxoffice", str_of(scenario->binary));
    set_text(scenario, "database", scenario->on_postgres ? STR("postgresql") : STR("sqlite"));
    FILE *pipe = popen(arena_cstr(scenario->arena, vars_expand(scenario, command, false)), "r");
    if (pipe == NULL) {
        scenario_fail(scenario, "cannot run a shell");
        return;
    }
    while ((size = fread(block, 1, sizeof(block), pipe)) > 0)
        buf_add(&out, (str){block, size});
    const int status = pclose(pipe);
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
    set_text(scenario, "output", str_trim(buf_str(&out)));
    if (str_to_i64(next_word(&expected), &want) && want != code)
        scenario_fail(scenario, "want exit status %d, got %d: %.*s", (int)want, code,
                      STR_ARG(buf_str(&out)));
    expected = str_trim(expected);
    if (expected.size > 0 &&
        (out.size == 0 || memmem(out.data, out.size, expected.ptr, expected.size) == NULL))
        scenario_fail(scenario, "does not say \"%.*s\": %.*s", STR_ARG(expected),
                      STR_ARG(buf_str(&out)));
}

static void step_clock(struct scenario *scenario, str rest)
{
    struct answer answer;
    const str by = str_trim(rest); /* "+600s" */
    const str body = arena_printf(scenario->arena, "{\"advance_s\":%.*s}",
                                  STR_ARG(str_slice(by, 1, by.size - 1)));

    if (client_send(scenario, STR("POST"), STR("/_test/clock"), STR_ABSENT, NULL, body, &answer) &&
        answer.status / 100 != 2)
        scenario_fail(scenario, "the clock answers %ld %.*s", answer.status, STR_ARG(answer.body));
}

static void step_redis(struct scenario *scenario, str rest)
{
    const str what = next_word(&rest);

    if (str_eq(what, STR("start")))
        redis_start(scenario);
    else if (str_eq(what, STR("kill")))
        redis_kill(scenario);
    else
        scenario_fail(scenario, "redis start or kill, not %.*s", STR_ARG(what));
}

static void run_line(struct scenario *scenario, str line)
{
    static const str arrow = {" -> ", 4};
    const char *at = memmem(line.ptr, line.size, arrow.ptr, arrow.size);
    str step = at != NULL ? (str){line.ptr, (size_t)(at - line.ptr)} : line;
    const str expected = at != NULL ? str_slice(line, step.size + arrow.size, line.size) : STR("");
    const str word = next_word(&step);

    if (str_eq(word, STR("serve")))
        server_start(scenario, step.ptr != NULL ? vars_expand(scenario, step, false) : STR(""));
    else if (str_eq(word, STR("stop"))) {
        const int code = server_stop(scenario, SIGTERM);
        if (code != 0)
            scenario_fail(scenario, "the server ended with %d", code);
    } else if (str_eq(word, STR("kill")))
        (void)server_stop(scenario, SIGKILL);
    else if (str_eq(word, STR("redis")))
        step_redis(scenario, step);
    else if (str_eq(word, STR("user")))
        step_user(scenario, step);
    else if (str_eq(word, STR("clock")))
        step_clock(scenario, step);
    else if (str_eq(word, STR("shell")))
        step_shell(scenario, step, expected);
    else if (str_eq(word, STR("unprepared")))
        scenario->prepared = true;
    else if (str_eq(word, STR("postgres")))
        engine_step(scenario, str_trim(step));
    else if (str_eq(word, STR("soon"))) {
        const str name = next_word(&step);
        step_request(scenario, name, step, expected, true);
    } else
        step_request(scenario, word, step, expected, false);
}

static void run_file(struct scenario *scenario, FILE *in)
{
    char line[LINE_SIZE_MAX];
    struct buf step = buf_in(scenario->arena, LINE_SIZE_MAX);

    while (fgets(line, sizeof(line), in) != NULL) {
        str text = str_trim(str_of(line));

        scenario->line++;
        if (text.size == 0 || text.ptr[0] == '#')
            continue;
        const bool goes_on = str_ends(text, STR("\\"));
        buf_add(&step, goes_on ? str_slice(text, 0, text.size - 1) : text);
        if (goes_on)
            continue;
        run_line(scenario, buf_str(&step));
        buf_clear(&step);
        if (scenario->server_pid == 0 && scenario->failed > 0)
            break;
    }
}

int main(int argc, char **argv)
{
    int failed = 0;

    const bool on_postgres = argc > 1 && strcmp(argv[1], "--postgres") == 0;

    argc -= on_postgres;
    argv += on_postgres;
    if (argc < 3) {
        fprintf(stderr, "usage: scenario_run [--postgres] BINARY FILE.scn...\n");
        return 2;
    }
    printf("1..%d\n", argc - 2);
    fflush(stdout);
    for (int i = 2; i < argc; i++) {
        struct scenario scenario = {.binary = argv[1],
                                    .file = argv[i],
                                    .on_postgres = on_postgres,
                                    .vars = json_object(),
                                    .arena = arena_open(0),
                                    .data_dir = "/tmp/boxoffice-scenario-XXXXXX"};
        FILE *in = fopen(argv[i], "r");

        if (in == NULL || mkdtemp(scenario.data_dir) == NULL) {
            scenario_fail(&scenario, "cannot be read");
        } else {
            engine_open(&scenario);
            run_file(&scenario, in);
            (void)server_stop(&scenario, SIGTERM);
            engine_close(&scenario);
            redis_kill(&scenario);
            (void)unsetenv("BOXOFFICE_CACHE_URL");
            (void)!system(arena_printf(scenario.arena, "rm -rf %s", scenario.data_dir).ptr);
        }
        if (in != NULL)
            (void)fclose(in);
        const char *name = strrchr(argv[i], '/');
        printf("%s %d - %s\n", scenario.failed == 0 ? "ok" : "not ok", i - 1,
               name != NULL ? name + 1 : argv[i]);
        fflush(stdout);
        failed += scenario.failed > 0;
        json_decref(scenario.vars);
        arena_close(scenario.arena);
    }
    return failed > 0;
}
