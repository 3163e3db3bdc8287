/* platform/crypto/hasher.c - hashes passwords with argon2id (RFC 9106) in a small pool of its
 * own.
 *
 * One hash takes 19 MiB and about 0.08 s of a core. A bounded number of threads does them and a
 * bounded number of callers waits, so a flood of sign-ins costs the sign-ins and nothing else.
 *
 * What is hashed is not the password but a MAC of it (the pepper): a stolen table without the
 * keyring cannot even be guessed at. An unknown account is hashed for like a known one, so that
 * time does not tell them apart. */

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <argon2.h>
#include <openssl/crypto.h>

#include "base/mem.h"
#include "platform/crypto/crypto.h"
#include "platform/crypto/evp.h"

enum {
    PASSES = 2,
    LANES = 1,
    MEMORY_KIB = 19456,
    SALT_SIZE = 16,
    SALT_TEXT_SIZE = 22, /* base64 without padding */
    TAG_SIZE = 32,
    TAG_TEXT_SIZE = 43,
    PHC_SIZE_MAX = 127,
    THREADS_MAX = 16,
    /* What a stored string may ask for, as long as it is not replaced. */
    STORED_MEMORY_KIB_MAX = 1 << 20,
    STORED_PASSES_MAX = 16,
    STORED_LANES_MAX = 4,
};

struct cost {
    uint32_t memory_kib;
    uint32_t passes;
    uint32_t lanes;
};

/* A caller's wish; it lies on the caller's stack until it is done. */
struct task {
    bool is_hash; /* else verify */
    uint8_t secret[SHA256_SIZE];
    uint8_t salt[SALT_SIZE];
    char phc[PHC_SIZE_MAX + 1]; /* "" to verify against nothing */
    err result;
    bool done;
    pthread_cond_t finished;
    struct task *next;
};

struct hasher {
    struct keyring *keyring;
    struct cost cost;
    size_t outstanding_max; /* at work or waiting */
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* a task, or the end */
    pthread_cond_t left;    /* a caller */
    struct task *first;
    struct task **last; /* where the next one is hung up */
    size_t outstanding_count;
    size_t caller_count;
    bool closing;
    pthread_t threads[THREADS_MAX];
    size_t thread_count;
};

/* --- Rules: no I/O --- */

/* "m=19456" for name 'm'; 0 if it is not that. */
static uint32_t parameter(str text, char name, uint32_t max)
{
    int64_t number = 0;

    if (text.size < 3 || text.ptr[0] != name || text.ptr[1] != '=')
        return 0;
    if (!str_to_i64(str_slice(text, 2, text.size), &number) || number < 1 || number > max)
        return 0;
    return (uint32_t)number;
}

/* What a PHC string "$argon2id$v=19$m=...,t=...,p=...$salt$tag" asks for; false if it is not
 * one, or asks for more than anybody here ever did. */
static bool phc_cost(str phc, struct cost *ret, bool *ret_sizes_differ)
{
    str parts[6];
    str costs[3];
    str rest = phc;

    for (size_t i = 0; i < 6; i++)
        if (!str_split(&rest, '$', &parts[i]))
            return false;
    if (rest.ptr != NULL || parts[0].size != 0 || !str_eq(parts[1], STR("argon2id")) ||
        !str_eq(parts[2], STR("v=19")))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (!str_split(&parts[3], ',', &costs[i]))
            return false;
    if (parts[3].ptr != NULL)
        return false;

    ret->memory_kib = parameter(costs[0], 'm', STORED_MEMORY_KIB_MAX);
    ret->passes = parameter(costs[1], 't', STORED_PASSES_MAX);
    ret->lanes = parameter(costs[2], 'p', STORED_LANES_MAX);
    *ret_sizes_differ = parts[4].size != SALT_TEXT_SIZE || parts[5].size != TAG_TEXT_SIZE;
    return ret->memory_kib != 0 && ret->passes != 0 && ret->lanes != 0;
}

static err err_of_argon2(int code)
{
    switch (code) {
    case ARGON2_OK:
        return ERR_OK;
    case ARGON2_MEMORY_ALLOCATION_ERROR:
    case ARGON2_THREAD_FAIL:
        return ERR_OVERLOADED;
    default:
        return ERR_INVALID_CREDENTIALS;
    }
}

/* Takes as long as a real verification, and fails. */
static err verify_nothing(const struct cost *cost, const struct task *task)
{
    static const uint8_t salt[SALT_SIZE];
    uint8_t tag[TAG_SIZE];
    const int code = argon2id_hash_raw(cost->passes, cost->memory_kib, cost->lanes, task->secret,
                                       sizeof(task->secret), salt, sizeof(salt), tag, sizeof(tag));

    OPENSSL_cleanse(tag, sizeof(tag));
    return code == ARGON2_OK ? ERR_INVALID_CREDENTIALS : err_of_argon2(code);
}

static err run_task(const struct cost *cost, struct task *task)
{
    if (task->is_hash) {
        const int code = argon2id_hash_encoded(
            cost->passes, cost->memory_kib, cost->lanes, task->secret, sizeof(task->secret),
            task->salt, sizeof(task->salt), TAG_SIZE, task->phc, sizeof(task->phc));

        assert(code == ARGON2_OK || err_of_argon2(code) == ERR_OVERLOADED);
        return err_of_argon2(code);
    }
    if (task->phc[0] == '\0')
        return verify_nothing(cost, task);

    const int code = argon2id_verify(task->phc, task->secret, sizeof(task->secret));
    if (code == ARGON2_OK || code == ARGON2_VERIFY_MISMATCH ||
        err_of_argon2(code) == ERR_OVERLOADED)
        return err_of_argon2(code);
    return verify_nothing(cost, task); /* a damaged string tells nothing by its time either */
}

static void lock_pool(struct hasher *hasher)
{
    evp_must(pthread_mutex_lock(&hasher->lock) == 0);
}

static void unlock_pool(struct hasher *hasher)
{
    evp_must(pthread_mutex_unlock(&hasher->lock) == 0);
}

/* With the lock, and a task there. */
static struct task *take_task(struct hasher *hasher)
{
    struct task *task = hasher->first;

    hasher->first = task->next;
    if (hasher->first == NULL)
        hasher->last = &hasher->first;
    return task;
}

/* Ends when closing and nothing waits. */
static void *run_thread(void *arg)
{
    struct hasher *hasher = arg;

    lock_pool(hasher);
    for (;;) {
        while (hasher->first == NULL && !hasher->closing)
            (void)pthread_cond_wait(&hasher->arrived, &hasher->lock);
        if (hasher->first == NULL)
            break;
        struct task *task = take_task(hasher);
        unlock_pool(hasher);
        const err result = run_task(&hasher->cost, task);
        lock_pool(hasher);
        task->result = result;
        task->done = true;
        hasher->outstanding_count--;
        (void)pthread_cond_signal(&task->finished);
    }
    unlock_pool(hasher);
    return NULL;
}

/* Hands the task to the pool and waits for it. */
static err await_task(struct hasher *hasher, struct task *task)
{
    lock_pool(hasher);
    if (hasher->closing || hasher->outstanding_count >= hasher->outstanding_max) {
        unlock_pool(hasher);
        return ERR_OVERLOADED;
    }
    evp_must(pthread_cond_init(&task->finished, NULL) == 0);
    hasher->outstanding_count++;
    hasher->caller_count++;
    *hasher->last = task;
    hasher->last = &task->next;
    (void)pthread_cond_signal(&hasher->arrived);
    while (!task->done)
        (void)pthread_cond_wait(&task->finished, &hasher->lock);
    hasher->caller_count--;
    (void)pthread_cond_signal(&hasher->left);
    unlock_pool(hasher);
    (void)pthread_cond_destroy(&task->finished);
    return task->result;
}

/* Signals stay with the process' other threads. */
static bool start_threads(struct hasher *hasher, size_t count)
{
    sigset_t all;
    sigset_t before;
    int failed = 0;

    (void)sigfillset(&all);
    evp_must(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    for (; hasher->thread_count < count && failed == 0; hasher->thread_count += failed == 0) {
        failed = pthread_create(&hasher->threads[hasher->thread_count], NULL, run_thread, hasher);
        if (failed == 0)
            (void)pthread_setname_np(hasher->threads[hasher->thread_count], "hasher");
    }
    evp_must(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    return failed == 0;
}

struct hasher *hasher_open(const struct hasher_options *options, struct keyring *keyring)
{
    const size_t thread_count = options->thread_count > 0 ? (size_t)options->thread_count : 2;
    const size_t waiting_max = options->waiting_max > 0 ? (size_t)options->waiting_max : 64;
    struct hasher *hasher = mem_new(struct hasher);

    assert(thread_count <= THREADS_MAX);
    hasher->keyring = keyring;
    hasher->cost = (struct cost){
        .memory_kib = options->memory_kib > 0 ? options->memory_kib : MEMORY_KIB,
        .passes = PASSES,
        .lanes = LANES,
    };
    assert(hasher->cost.memory_kib >= ARGON2_MIN_MEMORY &&
           hasher->cost.memory_kib <= STORED_MEMORY_KIB_MAX);
    hasher->outstanding_max = thread_count + waiting_max;
    hasher->last = &hasher->first;
    evp_must(pthread_mutex_init(&hasher->lock, NULL) == 0);
    evp_must(pthread_cond_init(&hasher->arrived, NULL) == 0);
    evp_must(pthread_cond_init(&hasher->left, NULL) == 0);
    if (!start_threads(hasher, thread_count)) {
        hasher_close(hasher);
        return NULL;
    }
    return hasher;
}

void hasher_close(struct hasher *hasher)
{
    if (hasher == NULL)
        return;
    lock_pool(hasher);
    hasher->closing = true;
    (void)pthread_cond_broadcast(&hasher->arrived);
    while (hasher->caller_count > 0)
        (void)pthread_cond_wait(&hasher->left, &hasher->lock);
    unlock_pool(hasher);
    for (size_t i = 0; i < hasher->thread_count; i++)
        evp_must(pthread_join(hasher->threads[i], NULL) == 0);
    evp_must(pthread_cond_destroy(&hasher->left) == 0);
    evp_must(pthread_cond_destroy(&hasher->arrived) == 0);
    evp_must(pthread_mutex_destroy(&hasher->lock) == 0);
    mem_free(hasher);
}

err hasher_hash(struct hasher *hasher, struct rng *rng, struct arena *arena, str password,
                str *ret_phc)
{
    struct task task = {.is_hash = true};

    keyring_mac(hasher->keyring, "password_pepper", password, task.secret);
    rng_fill(rng, task.salt, sizeof(task.salt));
    const err result = await_task(hasher, &task);
    OPENSSL_cleanse(task.secret, sizeof(task.secret));
    TRY(result);
    *ret_phc = arena_str(arena, str_of(task.phc));
    return ERR_OK;
}

err hasher_verify(struct hasher *hasher, str phc, str password, bool *ret_outdated)
{
    struct task task = {.is_hash = false};
    struct cost cost = {0};
    bool sizes_differ = false;

    if (phc.size <= PHC_SIZE_MAX && phc_cost(phc, &cost, &sizes_differ))
        memcpy(task.phc, phc.ptr, phc.size);
    keyring_mac(hasher->keyring, "password_pepper", password, task.secret);
    const err result = await_task(hasher, &task);
    OPENSSL_cleanse(task.secret, sizeof(task.secret));
    TRY(result);
    *ret_outdated = sizes_differ || cost.memory_kib != hasher->cost.memory_kib ||
                    cost.passes != hasher->cost.passes || cost.lanes != hasher->cost.lanes;
    return ERR_OK;
}
