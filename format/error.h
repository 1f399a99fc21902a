/*
 * Result codes shared by every layer.
 *
 * Functions return 0 for success, a positive number where their comment says so, and one of these
 * negative codes for failure. src/evseg.h repeats the numbers for programs; src/diag.c asserts that
 * the two lists agree.
 */
#ifndef EVS_FORMAT_ERROR_H
#define EVS_FORMAT_ERROR_H

enum evs_error {
	EVS_OK = 0,
	EVS_E_SYS = -1,	    /* the operating system said no; errno is kept in the diag */
	EVS_E_NOMEM = -2,   /* malloc failed, or a memory cap was reached */
	EVS_E_FORMAT = -3,  /* bytes break a rule of spec/segment.md: damage, or no segment */
	EVS_E_VERSION = -4, /* written by a newer evseg, or by a feature marked "refuse" */
	EVS_E_USAGE = -5,   /* the caller asked for something that makes no sense */
	EVS_E_SCHEMA = -6,  /* DDL is wrong, or two schemas do not go together */
	EVS_E_QUERY = -7,   /* an expression is wrong */
	EVS_E_LIMIT = -8,   /* a cap of the spec would be broken by writing this */
	EVS_E_LOCKED = -9,  /* another writer holds the segment and waiting was not wanted */
	EVS_E_DATA = -10,   /* a value does not fit its column */
	EVS_E_STOP = -11,   /* a callback, a signal or --strict asked to stop */
};

#endif
