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

static void
append(GsAlike *alike, const char *candidate)
{
	appendStringInfo(&alike->list, "%s\"%s\"", alike->list.len > 0 ? ", " : "",
					 candidate);
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
	append(alike, candidate);
	alike->best = distance;
}

/*
 * gs_alike_add_qualified: the same of a name of which the schema may have been
 * left out: with the very same rest it is as near as can be.
 */
void
gs_alike_add_qualified(GsAlike *alike, const char *candidate)
{
	const char *dot = strrchr(candidate, '.');

	if (dot == NULL || strcmp(dot + 1, alike->name) != 0)
	{
		gs_alike_add(alike, candidate);
		return;
	}
	if (alike->best > 0)
		resetStringInfo(&alike->list);
	append(alike, candidate);
	alike->best = 0;
}
