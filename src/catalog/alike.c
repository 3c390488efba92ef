/*
 * alike.c
 *	  Names that are like one that does not exist, for hints: those of the
 *	  least edit distance (Levenshtein), up to a third of the name's length.
 */
#include "postgres.h"

#include "utils/varlena.h"

#include "catalog/alike.h"

/* bytes of the longest names that varstr_levenshtein takes */
#define LONGEST_NAME	255

/*
 * gs_alike_begin: none yet; the list is in the current memory context.
 */
void
gs_alike_begin(GsAlike *alike, const char *name)
{
	alike->name = name;
	alike->best = Max(2, (int) strlen(name) / 3);
	initStringInfo(&alike->list);
}

/*
 * gs_alike_add: a name that there is; it comes into the list, quoted, if none
 * is nearer.
 */
void
gs_alike_add(GsAlike *alike, const char *candidate)
{
	int			distance;

	if (strlen(alike->name) > LONGEST_NAME || strlen(candidate) > LONGEST_NAME)
		return;
	distance = varstr_levenshtein(alike->name, strlen(alike->name), candidate,
								  strlen(candidate), 1, 1, 1, true);
	if (distance > alike->best)
		return;
	if (distance < alike->best)
		resetStringInfo(&alike->list);
	appendStringInfo(&alike->list, "%s\"%s\"", alike->list.len > 0 ? ", " : "",
					 candidate);
	alike->best = distance;
}
