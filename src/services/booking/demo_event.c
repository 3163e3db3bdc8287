/* booking/demo_event.c - invents events: places that exist, and names in their script combined of ordinary words.
 *
 * Artists, halls and titles are nobody's: an adjective and a noun each. Every kind of event turns up again and again, so that each page has
 * something to show: past, running, soon and far ones, free ones and online ones, drafts, cancelled and sold-out ones. */
#include "services/booking/demo_event.h"

#include <stdio.h>

#include "services/booking/state.h"

enum { WORDS = 8, HALLS = 3, PLACES = 16 };

static const struct place {
    const char *city;
    const char *country;
    const char *timezone;
    const char *currency;
    int64_t price_step; /* what prices are multiples of, in minor units */
    double lat;
    double lon;
    const char *halls[HALLS];
    const char *adjectives[WORDS];
    const char *nouns[WORDS];
} places[PLACES] = {
    {"Berlin",
     "Germany",                     "Europe/Berlin",
     "EUR", 250,
     52.52,    13.405,
     {"Kesselhaus am Ufer", "Große Remise", "Spreebogen-Bühne"},
     {"Stille", "Goldene", "Wilde", "Späte", "Blaue", "Ferne", "Grüne", "Süße"},
     {"Möwen", "Träume", "Brücken", "Lichter", "Füchse", "Gärten", "Wellen", "Straßen"}                                                                                        },
    {"Paris",
     "France",                      "Europe/Paris",
     "EUR", 300,
     48.8566,  2.3522,
     {"Salle des Tilleuls", "Théâtre du Phare", "Le Vieux Hangar"},
     {"Les Douces", "Les Petites", "Les Étranges", "Les Dernières", "Les Belles", "Les Folles",
      "Les Légères", "Les Naïves"},
     {"Étoiles", "Forêts", "Lumières", "Marées", "Hirondelles", "Fenêtres", "Rêveries", "Îles"}                                                                               },
    {"London",
     "United Kingdom",              "Europe/London",
     "GBP", 250,
     51.5074,  -0.1278,
     {"The Lantern Rooms", "Old Rope Works", "Canal Street Hall"},
     {"Copper", "Quiet", "Paper", "Velvet", "Northern", "Hollow", "Brave", "Silver"},
     {"Foxes", "Harbours", "Lanterns", "Orchards", "Kites", "Sparrows", "Engines", "Rivers"}                                                                                         },
    {"New York",
     "United States",               "America/New_York",
     "USD", 500,
     40.7128,  -74.006,
     {"Pier Nine Theater", "The Brick Parlor", "Sunset Yard"},
     {"Electric", "Midnight", "Golden", "Lonesome", "Neon", "Restless", "Crystal", "Burning"},
     {"Coyotes", "Avenues", "Satellites", "Pilgrims", "Bridges", "Radios", "Wolves", "Postcards"}                                                                                    },
    {"Kraków",
     "Poland",                      "Europe/Warsaw",
     "PLN", 1000,
     50.0647,  19.945,
     {"Stara Drukarnia", "Scena pod Wierzbą", "Hala Łąkowa"},
     {"Ciche", "Złote", "Późne", "Żółte", "Świetne", "Błękitne", "Leśne", "Górskie"},
     {"Żurawie", "Ogrody", "Światła", "Mosty", "Łodzie", "Sny", "Gwiazdy", "Ścieżki"}                                                                                          },
    {"القاهرة",
     "مصر",                      "Africa/Cairo",
     "EGP", 5000,
     30.0444,  31.2357,
     {"مسرح النيل الجديد", "قاعة الياسمين", "ساحة المنارة"},
     {"فرقة", "ليالي", "أصوات", "حكايات", "أنغام", "رحلة", "ضوء", "مقام"},
     {"الفجر", "القمر", "الصحراء", "البحر", "الياسمين", "النجوم", "المدينة", "الريح"}                                                },
    {"الكويت",
     "الكويت",                "Asia/Kuwait",
     "KWD", 500,
     29.3759,  47.9774,
     {"مسرح اللؤلؤة الزرقاء", "قاعة السدرة", "بيت الموج"},
     {"موسيقى", "أمسية", "ألوان", "سهرة", "إيقاع", "صدى", "حوار", "موج"},
     {"الخليج", "اللؤلؤ", "الشراع", "الصحراء", "المساء", "الربيع", "النخيل", "السدرة"}                                              },
    {"Αθήνα",
     "Ελλάδα",                "Europe/Athens",
     "EUR", 200,
     37.9838,  23.7275,
     {"Θέατρο της Ελιάς", "Αίθουσα Κύμα", "Παλιό Μηχανουργείο"},
     {"Γαλάζια", "Μικρά", "Χρυσά", "Ήσυχα", "Μακρινά", "Άγρια", "Φωτεινά", "Λευκά"},
     {"Κύματα", "Νησιά", "Αστέρια", "Πουλιά", "Όνειρα", "Φώτα", "Δέντρα", "Τραγούδια"}                                              },
    {"Київ",
     "Україна",              "Europe/Kyiv",
     "UAH", 5000,
     50.4501,  30.5234,
     {"Зала під каштанами", "Сцена «Берег»", "Стара фабрика"},
     {"Тихі", "Золоті", "Пізні", "Сині", "Далекі", "Вільні", "Зелені", "Світлі"},
     {"Журавлі", "Мости", "Вогні", "Ріки", "Сади", "Зорі", "Вітри", "Пісні"}                                                                  },
    {"東京",
     "日本",                      "Asia/Tokyo",
     "JPY", 500,
     35.6762,  139.6503,
     {"青葉ホール", "川辺シアター", "星見座"},
     {"静かな", "青い", "夜の", "小さな", "遠い", "春の", "銀の", "風の"},
     {"鯨", "灯台", "庭", "汽車", "手紙", "森", "波", "星"}                                                                                                               },
    {"서울",
     "대한민국",                "Asia/Seoul",
     "KRW", 5000,
     37.5665,  126.978,
     {"가람 홀", "별빛 극장", "한강 무대"},
     {"고요한", "푸른", "작은", "먼", "새벽", "빛나는", "하얀", "자유로운"},
     {"고래", "등대", "정원", "기차", "편지", "숲", "파도", "별"}                                                                                                      },
    {"תל אביב",
     "ישראל",                  "Asia/Jerusalem",
     "ILS", 1000,
     32.0853,  34.7818,
     {"אולם האלה", "במת הנמל הישן", "בית הגפן"},
     {"להקת", "שירי", "לילות", "סיפורי", "קולות", "אורות", "צלילי", "חלומות"},
     {"הים", "החורף", "הגשר", "הכוכב", "הרוח", "הגן", "השחר", "העיר"}                                                                                },
    {"北京",
     "中国",                      "Asia/Shanghai",
     "CNY", 2000,
     39.9042,  116.4074,
     {"柳园剧场", "老仓库", "晨光音乐厅"},
     {"安静的", "金色的", "远方的", "蓝色的", "夏日的", "会飞的", "夜行的", "明亮的"},
     {"鲸鱼", "灯塔", "花园", "列车", "来信", "森林", "海浪", "星空"}                                                                                                },
    {"मुंबई",
     "भारत",                "Asia/Kolkata",
     "INR", 10000,
     19.076,   72.8777,
     {"नीम रंगमंच", "सागर सभागृह", "पुराना गोदाम"},
     {"शांत", "नीली", "सुनहरी", "छोटी", "दूर की", "बसंत की", "रात की", "नई"},
     {"नदियाँ", "रोशनी", "धुनें", "कहानियाँ", "लहरें", "चिड़ियाँ", "राहें", "बारिश"}   },
    {"São Paulo",
     "Brasil",                      "America/Sao_Paulo",
     "BRL", 1000,
     -23.5505,
     -46.6333,
     {"Galpão das Acácias", "Teatro do Rio Verde", "Casa do Farol"},
     {"Doces", "Novas", "Últimas", "Leves", "Verdes", "Ágeis", "Claras", "Loucas"},
     {"Marés", "Canções", "Andorinhas", "Estações", "Manhãs", "Ilhas", "Luzes", "Estrelas"}                                                                                    },
    {"กรุงเทพฯ",
     "ประเทศไทย", "Asia/Bangkok",
     "THB", 5000,
     13.7563,  100.5018,
     {"โรงละครริมคลอง", "ห้องโถงดอกปีบ", "ลานจันทร์"},
     {"วงดนตรี", "บทเพลง", "ค่ำคืน", "เสียง", "เรื่องเล่า", "แสง", "เส้นทาง", "จังหวะ"},
     {"ดวงดาว", "สายลม", "ทะเล", "ดอกไม้", "แม่น้ำ", "พระจันทร์", "ฤดูฝน", "ป่าใหญ่"}},
};

static const char *const type_names[] = {"Standard", "Balcony", "VIP", "Student"};
static const char *const descriptions[] = {
    "An evening in four parts, with one interval. Doors open an hour before.",
    "Bring a coat: the second half is played outdoors, whatever the weather.",
    "For everybody from eight years on. Seats are not numbered.",
    "New work, shown for the first time, with a talk afterwards.",
};

static size_t chance(struct call *call, size_t count)
{
    return (size_t)rng_below(call->self->node->rng, count);
}

static str words(struct call *call, struct arena *arena, const struct place *place)
{
    return arena_printf(arena, "%s %s", place->adjectives[chance(call, WORDS)],
                        place->nouns[chance(call, WORDS)]);
}

/* In the evening of a day between two months back and eight ahead; some run right now. */
static void put_times(struct call *call, const struct booking_demo *in, size_t nth,
                      struct event *event)
{
    const struct zone *zone = NULL;
    const int64_t day_ms = in->now_ms + ((int64_t)chance(call, 300) - 60) * DAY_MS;
    struct civil civil = civil_from_ms(day_ms);

    civil.hour = 17 + (int)chance(call, 5);
    civil.minute = chance(call, 2) == 0 ? 0 : 30;
    civil.second = civil.millisecond = 0;
    if (zone_find(booking_of(call)->zones, event->timezone, &zone) == ERR_OK)
        (void)zone_to_utc(zone, &civil, &event->starts_at_ms);
    event->ends_at_ms = event->starts_at_ms + (2 + (int64_t)chance(call, 4)) * INT64_C(3600000);
    if (nth % 50 == 7) {
        event->starts_at_ms = in->now_ms - in->now_ms % 60000 - INT64_C(3600000);
        event->ends_at_ms = event->starts_at_ms + INT64_C(4) * 3600000;
    }
}

static void put_types(struct call *call, struct arena *arena, const struct place *place, size_t nth,
                      struct event *event)
{
    const bool is_free = nth % 20 == 3;
    const bool is_small = nth % 12 == 5; /* these sell out */
    const int64_t base = place->price_step * (4 + (int64_t)chance(call, 30));

    event->ticket_type_count = is_free || is_small ? 1 : 1 + chance(call, 4);
    event->ticket_types = arena_new_array(arena, struct ticket_type, event->ticket_type_count);
    for (size_t i = 0; i < event->ticket_type_count; i++)
        event->ticket_types[i] = (struct ticket_type){
            .id = {.uuid = call_uuid(call)},
            .name = str_of(type_names[i]),
            .price = { is_free  ? 0
                      : i == 2 ? base * 3
                      : i == 3 ? base / 2
                               : base + (int64_t)i * place->price_step,
                   event->currency},
            .total =
                is_small ? 12 + (int64_t)chance(call, 30) : 40 + (int64_t)chance(call, 12) * 40,
            .max_per_order = JSON_NULL,
            .sales_start_ms = JSON_NULL,
            .sales_end_ms = JSON_NULL,
            .tax_rate_ppm = JSON_NULL,
        };
}

static void put_place(struct call *call, struct arena *arena, const struct place *place, size_t nth,
                      struct event *event)
{
    event->online = nth % 15 == 9;
    if (event->online)
        return;
    event->venue = arena_new(arena, struct venue);
    *event->venue = (struct venue){
        .name = str_of(place->halls[chance(call, HALLS)]),
        .city = str_of(place->city),
        .country = str_of(place->country),
        .lat = place->lat,
        .lon = place->lon,
    };
}

static void put_accepted(struct arena *arena, size_t nth, struct event *event)
{
    static const char *const types[] = {"card", "cash_on_arrival", "bank_transfer"};

    event->accepted_count = 1 + nth % 3;
    event->accepted = arena_new_array(arena, struct booking_accepted, event->accepted_count);
    for (size_t i = 0; i < event->accepted_count; i++)
        event->accepted[i].type = str_of(types[i]);
}

struct event *demo_event(struct call *call, struct arena *arena, const struct booking_demo *in,
                         size_t nth)
{
    const struct place *place = &places[chance(call, PLACES)];
    struct event *event = arena_new(arena, struct event);
    const str artist = words(call, arena, place);

    *event = (struct event){
        .id = {.uuid = call_uuid(call)},
        .vendor = in->vendors[nth % in->vendor_count],
        .status = nth % 25 == 11   ? EVENT_DRAFT
                  : nth % 40 == 17 ? EVENT_CANCELLED
                                   : EVENT_PUBLISHED,
        .type = (int)(nth % EVENT_OTHER),
        .version = 1,
        .name = nth % 3 == 0 ? arena_printf(arena, "%.*s – %s", STR_ARG(artist),
                                            place->nouns[chance(call, WORDS)])
                             : words(call, arena, place),
        .description = str_of(descriptions[chance(call, 4)]),
        .timezone = str_of(place->timezone),
        .policies = EVENT_POLICIES_STANDARD,
        .limits = { .per_order = EVENT_PER_ORDER_STANDARD,  .per_user = JSON_NULL},
        .checkin_opens_at_ms = JSON_NULL,
        .created_at_ms = call->now_ms,
        .artists = arena_new(arena, struct artist),
        .artist_count = 1,
    };
    event->policies.refundable = nth % 7 != 0;
    event->artists[0].name = artist;
    (void)currency_parse(str_of(place->currency), &event->currency);
    put_times(call, in, nth, event);
    put_types(call, arena, place, nth, event);
    put_place(call, arena, place, nth, event);
    put_accepted(arena, nth, event);
    return event;
}
