/* booking/documents.h - the op booking_order_documents: an order in words, for the mail about
 * it. */
#pragma once

#include "services/booking/booking.h"

enum { DOCUMENT_SIZE_MAX = 32 * 1024 * 1024 }; /* of one file, in base64 */
