/* support/crash.h - a process that dies at one commit: from there on every database says
 * ERR_CRASHED, until crash_recover.
 *
 * What was committed before stays, as in files. Takes the place of tx_begin, tx_read and tx_commit:
 * link with --wrap for each of the three. Commits of all databases of the process are counted
 * together. */
#pragma once

#include <stdbool.h>

enum crash_point {
    CRASH_BEFORE, /* the commit does not happen any more */
    CRASH_AFTER,  /* it does, but nobody hears of it */
};

/* Counts from now on; the `commit`th one (from 1) is the last. */
void crash_arm(int commit, enum crash_point point);
bool crash_has_happened(void);
/* The process is started again, or the crash never came: nothing is armed any more. */
void crash_recover(void);
