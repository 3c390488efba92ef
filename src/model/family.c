/*
 * family.c
 *	  The table of model families.
 */
#include "postgres.h"

#include "lib/stringinfo.h"

#include "model/family.h"

static const GsFamily *const families[] = {
	&gs_copula,
	&gs_tree,
	&gs_vae,
	&gs_diffusion,
	&gs_gan,
	&gs_private
};

/*
 * gs_family_find: the family of a method, or of a version; NULL if there is
 * none.  "auto" is the one that serves most tables best.
 */
const GsFamily *
gs_family_find(const char *name)
{
	if (strcmp(name, "auto") == 0)
		return &gs_tree;
	for (int i = 0; i < lengthof(families); i++)
		if (strcmp(families[i]->name, name) == 0)
			return families[i];
	if (strcmp(name, gs_sequence.name) == 0)
		return &gs_sequence;
	return NULL;
}

/*
 * gs_family_names: what method may be, for a hint.
 */
char *
gs_family_names(void)
{
	StringInfoData names;

	initStringInfo(&names);
	appendStringInfoString(&names, "\"auto\"");
	for (int i = 0; i < lengthof(families); i++)
		appendStringInfo(&names, ", \"%s\"", families[i]->name);
	return names.data;
}
