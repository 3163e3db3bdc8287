/* platform/crypto/keyring_test.c - the files, derivation, rotation, and the envelope.
 *
 * The layout on disk, the derivation and the envelope must never change under data that exists, so
 * they are computed here a second time from their description or pinned. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/crypto/crypto.h"
#include "platform/crypto/test_vector.h"
#include "support/scratch.h"
#include "support/test.h"

enum { MASTER_SIZE = 32, ENVELOPE_OVERHEAD = 3 + 12 + 16 };

static const char *path_of(struct arena *arena, const char *dir, const char *name)
{
    return arena_printf(arena, "%s/%s", dir, name).ptr;
}

/* `size` times the same byte in a file of that mode. */
static void write_key(struct arena *arena, const char *dir, const char *name, char byte,
                      size_t size, mode_t mode)
{
    const char *path = path_of(arena, dir, name);
    FILE *file = fopen(path, "wb");

    CHECK(file != NULL);
    for (size_t i = 0; i < size; i++)
        CHECK(fputc(byte, file) != EOF);
    CHECK(fclose(file) == 0);
    CHECK(chmod(path, mode) == 0);
}

static struct keyring *must_open(struct arena *arena, const char *dir)
{
    struct keyring *keyring = NULL;
    str why = STR_ABSENT;

    CHECK_OK(keyring_open(dir, rng_system(), arena, &keyring, &why));
    return keyring;
}

static str mac_of(struct arena *arena, struct keyring *keyring, const char *purpose, str data)
{
    uint8_t mac[SHA256_SIZE];

    keyring_mac(keyring, purpose, data, mac);
    return hex_encode(arena, (str){(const char *)mac, sizeof(mac)});
}

static void check_mode(const char *path, mode_t expected)
{
    struct stat status;

    CHECK(stat(path, &status) == 0);
    CHECK_I64(expected, status.st_mode & 07777);
}

TEST(the_first_start_makes_the_keys_and_the_next_one_finds_them)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = path_of(arena, scratch_dir(arena), "keys");
    struct keyring *first = must_open(arena, dir);
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    str plain = STR_ABSENT;

    check_mode(dir, 0700);
    check_mode(path_of(arena, dir, "master.key"), 0600);
    check_mode(path_of(arena, dir, "ticket-0001.key"), 0600);
    const str mac = mac_of(arena, first, "cursor", STR("x"));
    const str sealed = keyring_seal(first, rng_system(), arena, STR("c"), STR("plain"));
    CHECK_OK(keyring_sign(first, 1, STR("x"), signature));
    keyring_close(first);

    struct keyring *second = must_open(arena, dir);
    CHECK_STR(mac.ptr, mac_of(arena, second, "cursor", STR("x")));
    CHECK_OK(keyring_unseal(second, arena, STR("c"), sealed, &plain));
    CHECK_STR("plain", plain);
    CHECK_OK(keyring_verify(second, 1, STR("x"), signature));
    keyring_close(second);

    struct keyring *elsewhere = must_open(arena, scratch_dir(arena));
    CHECK(!str_eq(mac, mac_of(arena, elsewhere, "cursor", STR("x"))));
    keyring_close(elsewhere);
}

TEST(nothing_but_the_keys_is_left_in_the_directory)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = path_of(arena, scratch_dir(arena), "keys");

    keyring_close(must_open(arena, dir));
    CHECK(unlink(path_of(arena, dir, "master.key")) == 0);
    CHECK(unlink(path_of(arena, dir, "ticket-0001.key")) == 0);
    CHECK(rmdir(dir) == 0);
}

/* In a child: opens, and tells what it signs and MACs. */
static void tell_keys(const char *dir, int fd)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct keyring *keyring = NULL;
    uint8_t told[SHA256_SIZE + ED25519_KEY_SIZE] = {0};
    str why = STR_ABSENT;

    if (keyring_open(dir, rng_system(), arena, &keyring, &why) != ERR_OK)
        _exit(1);
    keyring_mac(keyring, "cursor", STR("x"), told);
    if (keyring_public_key(keyring, keyring_signing_key_id(keyring), told + SHA256_SIZE) != ERR_OK)
        _exit(2);
    if (write(fd, told, sizeof(told)) != (ssize_t)sizeof(told))
        _exit(3);
    _exit(0);
}

TEST(processes_that_start_at_once_end_with_the_same_keys)
{
    enum { PROCESSES = 6, ROUNDS = 8, TOLD_SIZE = SHA256_SIZE + ED25519_KEY_SIZE };
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);

    for (int round = 0; round < ROUNDS; round++) {
        const char *dir = path_of(arena, scratch_dir(arena), "keys");
        uint8_t told[PROCESSES][TOLD_SIZE];
        int fds[2];

        CHECK(pipe(fds) == 0);
        for (int i = 0; i < PROCESSES; i++) {
            const pid_t child = fork();

            CHECK(child >= 0);
            if (child == 0)
                tell_keys(dir, fds[1]);
        }
        for (int i = 0; i < PROCESSES; i++) {
            int status = -1;

            CHECK(wait(&status) > 0);
            CHECK_I64(0, status);
        }
        CHECK(read(fds[0], told, sizeof(told)) == (ssize_t)sizeof(told));
        for (int i = 1; i < PROCESSES; i++)
            CHECK(memcmp(told[0], told[i], TOLD_SIZE) == 0);
        CHECK(close(fds[0]) == 0 && close(fds[1]) == 0);
    }
}

TEST(keys_that_others_could_read_or_that_are_none_stop_the_start)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const struct {
        const char *name;
        size_t size;
        mode_t mode;
        const char *why;
    } cases[] = {
        {"master.key",       32, 0640, "master.key: open to group or others; chmod 600 it"      },
        {"master.key",       32, 0604, "master.key: open to group or others; chmod 600 it"      },
        {"master.key",       31, 0600, "master.key: wrong size; a key has 32 bytes"             },
        {"master.key",       33, 0600, "master.key: wrong size; a key has 32 bytes"             },
        {"master.key",       0,  0600, "master.key: wrong size; a key has 32 bytes"             },
        {"ticket-0001.key",  32, 0660, "ticket-0001.key: open to group or others; chmod 600 it" },
        {"ticket-0002.key",  64, 0600, "ticket-0002.key: wrong size; a key has 32 bytes"        },
        {"master-0001.key",  32, 0644, "master-0001.key: open to group or others; chmod 600 it" },
        {"ticket-1.key",     32, 0600, "ticket-1.key: not a key's name, or one key too many"    },
        {"ticket-0000.key",  32, 0600, "ticket-0000.key: not a key's name, or one key too many" },
        {"master--001.key",  32, 0600, "master--001.key: not a key's name, or one key too many" },
        {"master-00001.key", 32, 0600, "master-00001.key: not a key's name, or one key too many"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *dir = scratch_dir(arena);
        struct keyring *keyring = NULL;
        str why = STR_ABSENT;

        keyring_close(must_open(arena, dir));
        write_key(arena, dir, cases[i].name, 'k', cases[i].size, cases[i].mode);
        CHECK_ERR(ERR_INVALID, keyring_open(dir, rng_system(), arena, &keyring, &why));
        CHECK_STR(path_of(arena, dir, cases[i].why), why);
        CHECK(keyring == NULL);
    }
}

/* The start is refused with "PATH: REASON". */
static void check_refused(struct arena *arena, const char *dir, const char *path,
                          const char *reason)
{
    struct keyring *keyring = NULL;
    str why = STR_ABSENT;

    CHECK_ERR(ERR_INVALID, keyring_open(dir, rng_system(), arena, &keyring, &why));
    CHECK_STR(reason, str_slice(why, strlen(path) + 2, why.size));
    CHECK(str_starts(why, str_of(path)));
    CHECK(keyring == NULL);
}

TEST(a_directory_that_cannot_hold_keys_stops_the_start)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    const char *plain = path_of(arena, dir, "plain");
    const char *below_nothing = path_of(arena, dir, "no/keys");
    const char *master = path_of(arena, dir, "master.key");

    CHECK(chmod(dir, 0750) == 0);
    check_refused(arena, dir, dir, "open to group or others; chmod 700 it");
    CHECK(chmod(dir, 0700) == 0);

    check_refused(arena, below_nothing, below_nothing, "No such file or directory");

    write_key(arena, dir, "plain", 'k', 1, 0600);
    check_refused(arena, plain, plain, "Not a directory");
    CHECK(unlink(plain) == 0);

    CHECK(mkdir(master, 0700) == 0);
    check_refused(arena, dir, master, "not a plain file");
}

TEST(a_lost_master_key_is_not_made_anew)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    const char *master = path_of(arena, dir, "master.key");

    keyring_close(must_open(arena, dir));
    CHECK(unlink(master) == 0);
    check_refused(arena, dir, master, "missing beside other keys; restore it");
}

TEST(other_files_are_none_of_our_business)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);

    write_key(arena, dir, "README", 'r', 5, 0644);
    write_key(arena, dir, ".new-0123456789abcdef", 'r', 7, 0600);
    keyring_close(must_open(arena, dir));
    keyring_close(must_open(arena, dir));
}

TEST(there_may_be_64_keys_of_a_kind)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    struct keyring *keyring = NULL;
    str why = STR_ABSENT;

    for (int i = 1; i <= 64; i++)
        write_key(arena, dir, arena_printf(arena, "ticket-%04d.key", i * 100).ptr, (char)i, 32,
                  0600);
    for (int i = 1; i <= 63; i++)
        write_key(arena, dir, arena_printf(arena, "master-%04d.key", i).ptr, (char)i, 32, 0600);
    write_key(arena, dir, "master.key", 'm', MASTER_SIZE, 0600);
    keyring = must_open(arena, dir);
    CHECK_I64(6400, keyring_signing_key_id(keyring));
    keyring_close(keyring);

    write_key(arena, dir, "ticket-0001.key", 't', 32, 0600);
    CHECK_ERR(ERR_INVALID, keyring_open(dir, rng_system(), arena, &keyring, &why));
    CHECK(str_ends(why, STR("or one key too many")));
}

/* HKDF-SHA256 (RFC 5869) for one block, from HMAC alone. */
static void hkdf(const uint8_t key[32], const char *info, uint8_t ret[32])
{
    static const char no_salt[32];
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    uint8_t extracted[32];

    hmac_sha256((str){no_salt, 32}, (str){(const char *)key, 32}, extracted);
    hmac_sha256((str){(const char *)extracted, 32}, arena_printf(arena, "%s%c", info, 1), ret);
}

TEST(a_mac_is_hmac_under_a_key_derived_from_the_first_master_for_its_purpose)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    uint8_t key[32];
    uint8_t mac[32];

    write_key(arena, dir, "master.key", 'm', MASTER_SIZE, 0600);
    struct keyring *keyring = must_open(arena, dir);

    memset(key, 'm', sizeof(key));
    hkdf(key, "boxoffice/mac", key);
    hkdf(key, "mac/email_index", key);
    hmac_sha256((str){(const char *)key, 32}, STR("ana@example.org"), mac);
    const str expected = hex_encode(arena, (str){(const char *)mac, 32});

    for (int i = 0; i < 3; i++)
        CHECK_STR(expected.ptr, mac_of(arena, keyring, "email_index", STR("ana@example.org")));
    CHECK(!str_eq(expected, mac_of(arena, keyring, "cursor", STR("ana@example.org"))));
    CHECK(!str_eq(expected, mac_of(arena, keyring, "email_index", STR("ana@example.com"))));
    CHECK_STR(mac_of(arena, keyring, "cursor", STR("")).ptr,
              mac_of(arena, keyring, "cursor", STR_ABSENT));
    keyring_close(keyring);
}

TEST(a_new_master_seals_and_the_old_one_still_unseals_and_macs)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    str plain = STR_ABSENT;

    struct keyring *before = must_open(arena, dir);
    const str mac = mac_of(arena, before, "email_index", STR("x"));
    const str old = keyring_seal(before, rng_system(), arena, STR("c"), STR("old"));

    write_key(arena, dir, "master-0300.key", 'n', MASTER_SIZE, 0600);
    write_key(arena, dir, "master-0001.key", 'o', MASTER_SIZE, 0600);
    write_key(arena, dir, "ticket-0002.key", 't', MASTER_SIZE, 0600);
    struct keyring *after = must_open(arena, dir);
    const str new = keyring_seal(after, rng_system(), arena, STR("c"), STR("new"));

    CHECK_STR("010000", hex_encode(arena, str_slice(old, 0, 3)));
    CHECK_STR("01012c", hex_encode(arena, str_slice(new, 0, 3)));
    CHECK_OK(keyring_unseal(after, arena, STR("c"), old, &plain));
    CHECK_STR("old", plain);
    CHECK_OK(keyring_unseal(after, arena, STR("c"), new, &plain));
    CHECK_STR("new", plain);
    CHECK_ERR(ERR_INVALID, keyring_unseal(before, arena, STR("c"), new, &plain));
    CHECK_STR(mac.ptr, mac_of(arena, after, "email_index", STR("x")));
    CHECK_I64(1, keyring_signing_key_id(before));
    CHECK_I64(2, keyring_signing_key_id(after));
    keyring_close(after);
    keyring_close(before);
}

TEST(what_is_sealed_opens_in_its_place_only)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct keyring *keyring = NULL;
    struct keyring *other = NULL;
    const str context = STR("users.totp_seed/usr_1");
    str plain = STR("untouched");

    CHECK_OK(keyring_open_memory(1, &keyring));
    CHECK_OK(keyring_open_memory(2, &other));
    const str sealed = keyring_seal(keyring, rng_system(), arena, context, STR("secret"));
    const str again = keyring_seal(keyring, rng_system(), arena, context, STR("secret"));

    CHECK_I64(ENVELOPE_OVERHEAD + 6, (int64_t)sealed.size);
    CHECK(!str_eq(sealed, again));
    CHECK_ERR(ERR_INVALID,
              keyring_unseal(keyring, arena, STR("users.totp_seed/usr_2"), sealed, &plain));
    CHECK_ERR(ERR_INVALID,
              keyring_unseal(keyring, arena, STR("users.totp_seed/usr_"), sealed, &plain));
    CHECK_ERR(ERR_INVALID, keyring_unseal(keyring, arena, STR_ABSENT, sealed, &plain));
    CHECK_ERR(ERR_INVALID, keyring_unseal(other, arena, context, sealed, &plain));
    CHECK_STR("untouched", plain);
    CHECK_OK(keyring_unseal(keyring, arena, context, sealed, &plain));
    CHECK_STR("secret", plain);
    keyring_close(other);
    keyring_close(keyring);
}

TEST(every_flipped_bit_and_every_other_length_of_an_envelope_is_refused)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    struct keyring *keyring = NULL;
    str plain = STR_ABSENT;

    CHECK_OK(keyring_open_memory(1, &keyring));
    const str sealed = keyring_seal(keyring, rng_system(), arena, STR("c"), STR("secret"));
    char *forged = arena_alloc(arena, sealed.size + 1);
    memcpy(forged, sealed.ptr, sealed.size);

    for (size_t bit = 0; bit < sealed.size * 8; bit++) {
        forged[bit / 8] = (char)(forged[bit / 8] ^ (1 << bit % 8));
        CHECK_ERR(ERR_INVALID,
                  keyring_unseal(keyring, arena, STR("c"), (str){forged, sealed.size}, &plain));
        forged[bit / 8] = sealed.ptr[bit / 8];
    }
    for (size_t size = 0; size <= sealed.size + 1; size++)
        CHECK_ERR(size == sealed.size ? ERR_OK : ERR_INVALID,
                  keyring_unseal(keyring, arena, STR("c"), (str){forged, size}, &plain));
    CHECK_ERR(ERR_INVALID, keyring_unseal(keyring, arena, STR("c"), STR_ABSENT, &plain));
    keyring_close(keyring);
}

TEST(an_envelope_of_another_implementation_opens)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    const char *dir = scratch_dir(arena);
    str plain = STR_ABSENT;

    /* Sealed by node's crypto module under HKDF-SHA256(master.key, no salt, "boxoffice/seal"). */
    const str sealed =
        bytes_of_hex(arena, "010000000102030405060708090a0be081b80d75b480a6a0e4f9b2d07683d29d61c72d"
                            "09164483cb40d15dad7b8fbc");
    write_key(arena, dir, "master.key", 'm', MASTER_SIZE, 0600);
    struct keyring *keyring = must_open(arena, dir);
    CHECK_OK(keyring_unseal(keyring, arena, STR("users.totp_seed/usr_1"), sealed, &plain));
    CHECK_STR("JBSWY3DPEHPK3PXP", plain);
    keyring_close(keyring);
}

TEST(every_size_is_sealed)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4096, 100000};
    struct keyring *keyring = NULL;
    str plain = STR_ABSENT;

    CHECK_OK(keyring_open_memory(1, &keyring));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const str data = {arena_alloc(arena, sizes[i]), sizes[i]};
        const str sealed = keyring_seal(keyring, rng_system(), arena, STR(""), data);

        CHECK_OK(keyring_unseal(keyring, arena, STR_ABSENT, sealed, &plain));
        CHECK(str_eq(data, plain));
    }
    keyring_close(keyring);
}

static void *mac_many(void *arg)
{
    static const char *const purposes[] = {"a", "b", "c", "d", "e", "f", "g", "h"};
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    uint8_t mac[SHA256_SIZE];

    for (size_t i = 0; i < 400; i++) {
        str plain = STR_ABSENT;

        keyring_mac(arg, purposes[i % 8], STR("x"), mac);
        const str sealed = keyring_seal(arg, rng_system(), arena, STR("c"), STR("p"));
        CHECK_OK(keyring_unseal(arg, arena, STR("c"), sealed, &plain));
    }
    return NULL;
}

TEST(threads_share_a_keyring)
{
    CLEANUP(arena_close_at) struct arena *arena = arena_open(0);
    pthread_t threads[4];
    struct keyring *keyring = NULL;
    struct keyring *alone = NULL;

    CHECK_OK(keyring_open_memory(1, &keyring));
    CHECK_OK(keyring_open_memory(1, &alone));
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_create(&threads[i], NULL, mac_many, keyring) == 0);
    for (size_t i = 0; i < 4; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK_STR(mac_of(arena, alone, "h", STR("x")).ptr, mac_of(arena, keyring, "h", STR("x")));
    keyring_close(alone);
    keyring_close(keyring);
}
