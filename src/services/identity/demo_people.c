/* identity/demo_people.c - invented people: first and last names of one script each, combined by chance.
 *
 * No name is meant to be anybody's. All accounts share one password hash: hashing each would take minutes, and nobody is protected
 * by a password that stands in the README. */
#include "services/identity/identity.h"

#include "platform/crypto/crypto.h"
#include "services/identity/account.h"
#include "services/identity/demo_people.sql.h"

enum { ROWS_EACH = 500, NAMES_EACH = 12 };

static const struct people {
    const char *locale;
    const char *first[NAMES_EACH];
    const char *last[NAMES_EACH];
    const char *cities[4];
} peoples[] = {
    {"en",
     {"Ada", "Ben", "Cleo", "Dana", "Ewan", "Flora", "Gus", "Hazel", "Iris", "Jonas", "Kit",
      "Lena"},
     {"Ashdown", "Brook", "Carver", "Dale", "Ellery", "Fenwick", "Grove", "Hollis", "Ives",
      "Jarrow", "Kestrel", "Lark"},
     {"London", "Dublin", "Toronto", "Sydney"}                               },
    {"de",
     {"Jörg", "Käthe", "Björn", "Änne", "Lütz", "Göran", "Grete", "Silke", "Uwe", "Heidi", "Anke",
      "Tjark"},
     {"Grünwald", "Weißbach", "Möwe", "Süßholz", "Brückner", "Lindental", "Hörnchen", "Kranich",
      "Äpfler", "Seefeld", "Moosrain", "Tannert"},
     {"Berlin", "Wien", "Zürich", "Köln"}                                  },
    {"fr",
     {"Zoé", "Hélène", "Loïc", "Maëlle", "Anaïs", "Rémi", "Noël", "Gaël", "Inès", "Côme", "Élodie",
      "Chloé"},
     {"Beauséjour", "Clérmont", "d’Ormesson", "Forêt", "Gâtineau", "Lévêque", "Prévert", "Rivière",
      "Sérac", "Thébault", "Vallée", "Fougère"},
     {"Paris", "Lyon", "Montréal", "Genève"}                               },
    {"pl",
     {"Łucja", "Stanisław", "Żaneta", "Błażej", "Grażyna", "Świętosław", "Jadwiga", "Kuba", "Ola",
      "Wojtek", "Zofia", "Antoś"},
     {"Brzozowy", "Ćwiklik", "Dąbek", "Gałązka", "Jaśmin", "Kłosek", "Łąkowy", "Olszyna", "Różyc",
      "Śliwka", "Wierzba", "Żuraw"},
     {"Kraków", "Łódź", "Gdańsk", "Wrocław"}                           },
    {"ar",
     {"ليلى", "سامر", "نور", "ياسين", "هدى", "كريم", "مريم", "زياد", "سلمى", "طارق", "دينا", "عمر"},
     {"النجار", "البستاني", "الورّاق", "السقّا", "الحدّاد", "العطّار", "الزيّات", "الصبّاغ", "الفلّاح",
      "الخيّاط", "الطحّان", "النحّاس"},
     {"القاهرة", "الإسكندرية", "الكويت", "عمّان"}},
    {"el",
     {"Ανθή", "Βασίλης", "Γιώτα", "Δάφνη", "Ελπίδα", "Ζήσης", "Θάλεια", "Ιάσων", "Κυβέλη", "Λυδία",
      "Μίλτος", "Νεφέλη"},
     {"Αμπελάς", "Βράχος", "Γαλάζης", "Δάσος", "Ελαιώνας", "Θαλασσινός", "Κύμα", "Λιβαδάς",
      "Μελισσάς", "Νησιώτης", "Πεύκος", "Ρόδης"},
     {"Αθήνα", "Θεσσαλονίκη", "Πάτρα", "Χανιά"}    },
    {"uk",
     {"Богдан", "Галина", "Дарина", "Євген", "Зоряна", "Іванна", "Леся", "Мирон", "Оксана", "Роман",
      "Соломія", "Тарас"},
     {"Берест", "Вишня", "Гай", "Діброва", "Журавель", "Зелений", "Калина", "Ластівка", "Мороз",
      "Ожина", "Пшеничний", "Явір"},
     {"Київ", "Львів", "Одеса", "Харків"}                },
    {"ja",
     {"葵", "陽翔", "凛", "蓮", "結衣", "湊", "紬", "樹", "芽依", "朝陽", "澪", "奏"},
     {"青野", "石川原", "海老沢", "小森", "霧島田", "桜木", "滝野", "夏川", "星野宮", "緑川",
      "雪村", "若葉"},
     {"東京", "大阪", "京都", "札幌"}                                },
    {"ko",
     {"하늘", "바다", "가람", "나래", "다온", "라온", "마루", "보람", "새벽", "아라", "한별",
      "소담"},
     {"김", "이", "박", "최", "정", "강", "조", "윤", "장", "임", "한", "오"},
     {"서울", "부산", "인천", "대구"}                                },
    {"he",
     {"אביב", "גליה", "דקל", "הדר", "זיו", "טל", "יערה", "כרמל", "ליאור", "מעיין", "נועם", "עדי"},
     {"אלון", "ברקת", "גפן", "דולב", "הרדוף", "זית", "חרוב", "כלנית", "לילך", "נרקיס", "סביון",
      "רקפת"},
     {"תל אביב", "חיפה", "ירושלים", "באר שבע"}        },
};

static const char *const interests[] = {"jazz",     "theatre", "football", "opera", "gaming",
                                        "lectures", "folk",    "techno",   "dance", "compilers"};

static size_t chance(struct call *call, size_t count)
{
    return (size_t)rng_below(call->self->node->rng, count);
}

static void invent(struct call *call, struct account *account)
{
    const struct people *people = &peoples[chance(call, sizeof(peoples) / sizeof(peoples[0]))];
    const char *first = people->first[chance(call, NAMES_EACH)];
    const char *last = people->last[chance(call, NAMES_EACH)];
    const bool last_first =
        people->first[0][0] != '\0' &&
        (str_eq(str_of(people->locale), STR("ja")) || str_eq(str_of(people->locale), STR("ko")));

    account->name =
        arena_printf(call->arena, "%s %s", last_first ? last : first, last_first ? first : last);
    account->locale = str_of(people->locale);
    account->city =
        str_of(people->cities[chance(call, sizeof(people->cities) / sizeof(people->cities[0]))]);
    account->interest_count = chance(call, 4);
    account->interests = arena_new_array(call->arena, str, account->interest_count + 1);
    for (size_t i = 0; i < account->interest_count; i++)
        account->interests[i] =
            str_of(interests[chance(call, sizeof(interests) / sizeof(interests[0]))]);
}

struct demo {
    struct call *call;
    struct arena *arena;
    const struct identity_demo *in;
    str phc;
    struct identity_demo_made made;
    size_t number; /* of the account at hand */
};

/* First the admin, then the vendors, then the customers. */
static struct account account_of(struct demo *demo)
{
    static const char *const bases[] = {
        [ROLE_CUSTOMER] = "user", [ROLE_VENDOR] = "vendor", [ROLE_ADMIN] = "admin"};
    struct call *call = demo->call;
    struct account account = {.id = {call_uuid(call)}};
    size_t nth = demo->number;

    account.role = demo->number == 0                   ? ROLE_ADMIN
                   : demo->number <= demo->in->vendors ? ROLE_VENDOR
                                                       : ROLE_CUSTOMER;
    if (account.role == ROLE_CUSTOMER)
        nth -= demo->in->vendors;
    invent(call, &account);
    if (account.role == ROLE_ADMIN)
        account.email = STR("admin@example.test");
    else if (nth == 1)
        account.email =
            account.role == ROLE_VENDOR ? STR("vendor@example.test") : STR("customer@example.test");
    else
        account.email = arena_printf(call->arena, "%s%zu@example.test", bases[account.role], nth);
    if (account.role == ROLE_VENDOR) {
        static const char *const kinds[] = {"Events", "Stage",      "Productions",
                                            "Kultur", "Collective", "Live"};

        account.vendor.uuid = call_uuid(call);
        account.vendor_name = arena_printf(call->arena, "%.*s %s", STR_ARG(account.city),
                                           kinds[chance(call, sizeof(kinds) / sizeof(kinds[0]))]);
        demo->made.vendors[demo->made.vendor_count++] = account.vendor;
    } else if (account.role == ROLE_CUSTOMER) {
        demo->made.users[demo->made.user_count++] = account.id;
    }
    return account;
}

static err write_some(struct demo *demo, size_t until)
{
    CLEANUP(tx_rollback) struct tx tx = {0};

    TRY(tx_begin(&tx, call_db(demo->call)));
    for (; demo->number < until; demo->number++) {
        const struct account account = account_of(demo);

        TRY(account_write(&tx, demo->call, &account, demo->phc));
    }
    return tx_commit(&tx);
}

static err check_empty(struct call *call)
{
    CLEANUP(tx_rollback) struct tx tx = {0};
    int64_t anybody = 0;

    TRY(tx_read(&tx, call_db(call)));
    TRY(db_get_i64(&tx, &SQL_DEMO_PEOPLE_ANYBODY, NO_ARGS, &anybody));
    return anybody == 0
               ? ERR_OK
               : call_explain(call, ERR_CONFLICT,
                              "there are accounts already: demo data wants an empty place");
}

err identity_demo_make(struct call *call, struct arena *arena, const struct identity_demo *in,
                       struct identity_demo_made *ret)
{
    const size_t all = 1 + in->vendors + in->customers;
    struct demo demo = {
        .call = call,
        .arena = arena,
        .in = in,
        .made = {.users = arena_new_array(arena, user_id, in->customers),
                 .vendors = arena_new_array(arena, vendor_id, in->vendors)},
    };
    str phc = STR_ABSENT;

    TRY(check_empty(call));
    TRY(hasher_hash(call->self->node->hasher, call->self->node->rng, call->arena,
                    STR(IDENTITY_DEMO_PASSWORD), &phc));
    demo.phc = arena_str(arena, phc);
    while (demo.number < all) {
        TRY(write_some(&demo, demo.number + ROWS_EACH < all ? demo.number + ROWS_EACH : all));
        call_next(call);
    }
    *ret = demo.made;
    return ERR_OK;
}
