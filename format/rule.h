/*
 * One line shared by every decoder of format/: name the broken rule and give its error.
 */
#ifndef EVS_FORMAT_RULE_H
#define EVS_FORMAT_RULE_H

/* Set `*why` (unless NULL) to the constant `rule`, which starts with its number in
 * spec/segment.md, and return `rc`. */
static inline int evs_rule(const char **why, int rc, const char *rule)
{
	if (why)
		*why = rule;
	return rc;
}

#endif
