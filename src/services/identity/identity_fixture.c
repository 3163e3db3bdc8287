/* identity/identity_fixture.c - see identity_fixture.h. */
#include "services/identity/identity_fixture.h"

#include "support/test.h"

static const struct service *const services[] = {&identity_service, NULL};

static err authenticate(struct req *req)
{
    const struct identity_token_verify in = {.token = req->authorization};
    struct identity_token_verified verified = {0};

    if (req->authorization.ptr == NULL)
        return ERR_OK;
    TRY(identity_token_verify(&req->call, &in, &verified));
    req->call.caller = (struct caller){
        .role = (enum role)verified.role,
        .user = verified.user.uuid,
        .vendor = verified.vendor.uuid,
        .session = verified.session.uuid,
    };
    return ERR_OK;
}

void identity_fixture_open_with(struct office *office, const char *const *settings, const char *dir)
{
    office_open(office, &(struct office_options){.services = services,
                                                 .settings = settings,
                                                 .dir = dir,
                                                 .authenticate = authenticate});
}

void identity_fixture_open(struct office *office)
{
    identity_fixture_open_with(office, NULL, NULL);
}

void identity_fixture_call(struct office *office, struct call *call)
{
    office_call(office, "identity", call);
}

struct answer identity_ask(struct office *office, const char *who, const char *method,
                           const char *path, const char *body)
{
    const struct ask ask = {.who = who, .method = method, .path = path, .body = body};

    return office_ask(office, &ask);
}

struct answer identity_register(struct office *office, const char *email, const char *password)
{
    const str body = arena_printf(
        office->arena,
        "{\"email\":\"%s\",\"password\":\"%s\",\"name\":\"Ana\",\"role\":\"customer\"}", email,
        password);

    return identity_ask(office, NULL, "POST", "/register", body.ptr);
}

struct answer identity_login(struct office *office, const char *email, const char *password)
{
    const str body =
        arena_printf(office->arena, "{\"email\":\"%s\",\"password\":\"%s\"}", email, password);
    const struct ask ask = {.method = "POST",
                            .path = "/login",
                            .headers = "X-Request-Id: same\r\n", /* so that answers can be equal */
                            .body = body.ptr};

    return office_ask(office, &ask);
}

const char *identity_token(struct office *office, const struct answer *answer)
{
    const str token = answer_at(office->arena, answer, "/access_token");

    CHECK(token.ptr != NULL);
    return token.ptr;
}

struct answer identity_me(struct office *office, const char *token)
{
    return identity_ask(office, token, "GET", "/users/me", NULL);
}
