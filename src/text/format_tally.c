/*
 * format_tally.c
 *	  Counts of (place, bytes), for learning formats.
 *
 * Rows are counted apart from occurrences: what decides whether something may
 * be kept is how many rows hold it, however often one row repeats it.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "text/format_internal.h"

static inline uint32
tally_key_hash(TallyKey key)
{
	return hash_combine(hash_bytes((const unsigned char *) key.text, key.len),
						murmurhash32(key.position));
}

static inline bool
tally_key_equal(TallyKey a, TallyKey b)
{
	return a.position == b.position && a.len == b.len &&
		memcmp(a.text, b.text, a.len) == 0;
}

#define SH_PREFIX tally
#define SH_ELEMENT_TYPE TallyEntry
#define SH_KEY_TYPE TallyKey
#define SH_KEY key
#define SH_HASH_KEY(tb, key) tally_key_hash(key)
#define SH_EQUAL(tb, a, b) tally_key_equal(a, b)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* An empty tally in the current memory context. */
Tally *
gs_tally_create(void)
{
	return tally_create(CurrentMemoryContext, 1024, NULL);
}

/*
 * Count an occurrence of text in a source (numbered from 0) that stands for so
 * many rows.  The text must outlive the tally unless it is to be copied.
 */
TallyEntry *
gs_tally_add(Tally *tally, uint32 position, const char *text, int len,
			 bool copy,
			 int32 source, int64 rows)
{
	TallyKey	key = {text, len, position};
	TallyEntry *entry;
	bool		found;

	entry = tally_insert(tally, key, &found);
	if (!found)
	{
		if (copy)
		{
			char	   *own = MemoryContextAlloc(tally->ctx, len + 1);

			memcpy(own, text, len);
			own[len] = '\0';
			entry->key.text = own;
		}
		entry->rows = entry->weight = 0;
		entry->last = -1;
		entry->id = FORMAT_NONE;
	}
	if (entry->last != source)
	{
		entry->rows += rows;
		entry->last = source;
	}
	entry->weight += rows;
	return entry;
}

/* The entry, or NULL. */
TallyEntry *
gs_tally_find(Tally *tally, uint32 position, const char *text, int len)
{
	TallyKey	key = {text, len, position};

	return tally_lookup(tally, key);
}

static int
compare_entries(const void *pa, const void *pb)
{
	const TallyEntry *a = *(TallyEntry *const *) pa;
	const TallyEntry *b = *(TallyEntry *const *) pb;
	int			order;

	if (a->key.position != b->key.position)
		return a->key.position < b->key.position ? -1 : 1;
	if (a->rows != b->rows)
		return a->rows > b->rows ? -1 : 1;
	order = memcmp(a->key.text, b->key.text, Min(a->key.len, b->key.len));
	if (order != 0)
		return order;
	return (a->key.len > b->key.len) - (a->key.len < b->key.len);
}

/* By the row that was counted last: for qsort. */
int
gs_tally_by_last(const void *pa, const void *pb)
{
	const TallyEntry *a = *(TallyEntry *const *) pa;
	const TallyEntry *b = *(TallyEntry *const *) pb;

	if (a->last != b->last)
		return a->last < b->last ? -1 : 1;
	return compare_entries(pa, pb);
}

/*
 * All entries by place, then the most frequent first, then by bytes.  They
 * stay valid as long as nothing is added.
 */
TallyEntry **
gs_tally_sorted(Tally *tally, int *n)
{
	TallyEntry **entries;
	TallyEntry *entry;
	tally_iterator iterator;

	entries = MemoryContextAllocHuge(CurrentMemoryContext,
									 (Size) (tally->members + 1) *
									 sizeof(TallyEntry *));
	*n = 0;
	tally_start_iterate(tally, &iterator);
	while ((entry = tally_iterate(tally, &iterator)) != NULL)
		entries[(*n)++] = entry;
	qsort(entries, *n, sizeof(TallyEntry *), compare_entries);
	return entries;
}
