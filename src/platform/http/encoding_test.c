/* platform/http/encoding_test.c - which coding a client gets, and that it can be read. */

#include "platform/http/encoding.h"

#include <brotli/decode.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"
#include "support/test.h"

TEST(a_client_gets_the_coding_that_it_likes_best)
{
    static const struct {
        const char *sent; /* NULL: no header */
        enum coding wanted;
    } cases[] = {
        {NULL,                             CODING_IDENTITY},
        {"",                               CODING_IDENTITY},
        {"gzip",                           CODING_GZIP    },
        {"GZip",                           CODING_GZIP    },
        {"x-gzip",                         CODING_GZIP    },
        {"br",                             CODING_BROTLI  },
        {"gzip, deflate, br, zstd",        CODING_BROTLI  },
        {"br;q=0.5, gzip",                 CODING_GZIP    },
        {"br;q=0.5,gzip;q=0.5",            CODING_BROTLI  },
        {"gzip ; q=0.001",                 CODING_GZIP    },
        {"gzip;Q=1.000",                   CODING_GZIP    },
        {"identity;q=0.5, gzip;q=0.4",     CODING_IDENTITY},
        {"identity;q=0.5, gzip;q=0.5",     CODING_GZIP    },
        {"identity",                       CODING_IDENTITY},
        {"identity, gzip;q=0.9",           CODING_IDENTITY},
        {"gzip;q=0",                       CODING_IDENTITY},
        {"gzip;q=0.000, br;q=0",           CODING_IDENTITY},
        {"*",                              CODING_BROTLI  },
        {"*;q=0",                          CODING_IDENTITY},
        {"gzip, *;q=0",                    CODING_GZIP    },
        {"br;q=0, *",                      CODING_GZIP    },
        {"*;q=0.5, gzip;q=0.6",            CODING_GZIP    },
        {"deflate, compress",              CODING_IDENTITY},
        {"identity;q=0",                   CODING_IDENTITY},
        {"identity;q=0, gzip;q=0, br;q=0", CODING_IDENTITY},
        {" , ,gzip,",                      CODING_GZIP    },
        {"gzip;q=2",                       CODING_IDENTITY},
        {"gzip;q=1.001",                   CODING_IDENTITY},
        {"gzip;q=0.1234",                  CODING_IDENTITY},
        {"gzip;q=-1",                      CODING_IDENTITY},
        {"gzip;q=",                        CODING_IDENTITY},
        {"gzip;q",                         CODING_IDENTITY},
        {"gzip;",                          CODING_IDENTITY},
        {"gzip;level=9",                   CODING_IDENTITY},
        {"gzip;q=0.5;q=1",                 CODING_IDENTITY},
        {"br;q=x, gzip",                   CODING_GZIP    },
        {"gzip;q=0.",                      CODING_IDENTITY}, /* 0 */
        {"gzip;q=1.",                      CODING_GZIP    },
        {"gzipped, brotli",                CODING_IDENTITY},
        {"\"gzip\"",                       CODING_IDENTITY},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const enum coding got = coding_wanted(str_of(cases[i].sent));

        if (got != cases[i].wanted)
            print_error("%s\n", cases[i].sent);
        CHECK_I64(cases[i].wanted, got);
    }
}

/* Something like our documents: repetitive, of any size. */
static char *make_body(size_t size)
{
    static const char pattern[] = "{\"id\":\"evt_01h\",\"name\":\"Gr\xc3\xbc\xc3\x9f Gott\",";
    char *body = malloc(size);

    for (size_t i = 0; i < size; i++)
        body[i] = pattern[(i + i / 97) % (sizeof(pattern) - 1)];
    return body;
}

static bool decompress_gzip(str from, char *to, size_t *size)
{
    z_stream stream = {.next_in = mem_unconst(from.ptr),
                       .avail_in = (uInt)from.size,
                       .next_out = (Bytef *)to,
                       .avail_out = (uInt)*size};

    if (inflateInit2(&stream, 15 + 16) != Z_OK)
        return false;
    const int end = inflate(&stream, Z_FINISH);
    *size = stream.total_out;
    (void)inflateEnd(&stream);
    return end == Z_STREAM_END;
}

TEST(what_is_compressed_is_the_body_again)
{
    static const size_t sizes[] = {1, 100, 1024, 8192, 8193, 70000, 1 << 20};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        for (int coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
            char *body = make_body(sizes[i]);
            char *back = malloc(sizes[i]);
            char *bytes = NULL;
            size_t size = 0;
            size_t back_size = sizes[i];

            CHECK(coding_compress((enum coding)coding, (str){body, sizes[i]}, sizes[i] + 100,
                                  &bytes, &size));
            CHECK(sizes[i] < 1024 || size < sizes[i] / 2);
            if (coding == CODING_GZIP)
                CHECK(decompress_gzip((str){bytes, size}, back, &back_size));
            else
                CHECK(BrotliDecoderDecompress(size, (const uint8_t *)bytes, &back_size,
                                              (uint8_t *)back) == BROTLI_DECODER_RESULT_SUCCESS);
            CHECK_I64((int64_t)sizes[i], (int64_t)back_size);
            CHECK(memcmp(body, back, sizes[i]) == 0);
            free(bytes);
            free(back);
            free(body);
        }
}

TEST(what_does_not_get_small_enough_is_left)
{
    char *body = make_body(1024);

    for (int coding = CODING_GZIP; coding < CODING_COUNT; coding++) {
        char *bytes = NULL;
        size_t size = 0;

        CHECK(!coding_compress((enum coding)coding, (str){body, 1024}, 10, &bytes, &size));
        CHECK(!coding_compress((enum coding)coding, (str){body, 1024}, 0, &bytes, &size));
        CHECK(bytes == NULL);
    }
    free(body);
}
