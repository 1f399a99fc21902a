/*
 * The upkeep room: what keeps a store small, sound and known without a server, run from cron. One evs_<job>_* of evseg.h
 * each: compact*.c merges the runs of a segment.
 *
 * It stands on the query room, which merges and orders rows and makes rollups, and on the store room, which opens, locks
 * and replaces segments.
 */
#ifndef EVS_UPKEEP_UPKEEP_H
#define EVS_UPKEEP_UPKEEP_H

#include "evseg.h"

#endif
