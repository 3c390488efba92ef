/*
 * format_sets.c
 *	  Which keys stand together in an object, where no layout says so: in
 *	  elements of arrays, or in documents of rare layouts.
 *
 * A set is the numbers of its keys' nodes, each with a blank behind it.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "text/format_internal.h"

#define MAX_SETS		256

static int
by_object(const void *pa, const void *pb)
{
	const FormatKey *a = pa;
	const FormatKey *b = pb;

	if (a->object != b->object)
		return a->object < b->object ? -1 : 1;
	return (a->node > b->node) - (a->node < b->node);
}

/*
 * gs_format_learn_sets: the sets of keys that enough rows have; the remainder
 * stands for keys by themselves.
 *
 * keys: n keys of objects that have a node, sorted here; objects: how many
 * there are.  Returns a distribution.
 */
uint32
gs_format_learn_sets(FormatBuilder *b, FormatKey *keys, Size n,
					 double objects)
{
	Tally	   *tally = gs_tally_create();
	FormatShare shares[MAX_SETS + 1];
	TallyEntry **entries;
	StringInfoData set;
	double		seen = 0;
	Size		last;
	int			nentries;
	int			nshares = 0;

	initStringInfo(&set);
	if (n > 0)
		qsort(keys, n, sizeof(FormatKey), by_object);
	for (Size i = 0; i < n; i = last)
	{
		CHECK_FOR_INTERRUPTS();
		resetStringInfo(&set);
		for (last = i; last < n && keys[last].object == keys[i].object; last++)
			appendStringInfo(&set, "%u ", keys[last].node);
		gs_tally_add(tally, 0, set.data, set.len, true, keys[i].row,
					 keys[i].rows);
		seen += keys[i].rows;
	}
	entries = gs_tally_sorted(tally, &nentries);
	for (int i = 0; i < nentries && nshares < MAX_SETS; i++)
	{
		TallyKey	key = entries[i]->key;

		if (entries[i]->rows < b->threshold || key.len > FORMAT_MAX_VERBATIM)
			continue;
		shares[nshares].weight = entries[i]->weight;
		shares[nshares].a = gs_format_bytes(b, key.text, key.len);
		shares[nshares++].b = key.len;
	}
	if (objects - seen >= b->threshold)
		shares[nshares++] = (FormatShare) {objects - seen,
			gs_format_bytes(b, "", 0), 0};
	pfree(set.data);
	return gs_format_shares(b, shares, nshares, objects);
}
