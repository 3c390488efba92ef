/*
 * format.c
 *	  Formats: what learning their parts shares, and the filter.
 *
 * The filter of rare values is a Bloom filter (Bloom, "Space/time trade-offs
 * in hash coding with allowable errors", CACM 1970) of 12 bits a value and 8
 * probes made by double hashing (Kirsch and Mitzenmacher 2006): one draw in
 * 300 is discarded without need.
 */
#include "postgres.h"

#include <math.h>

#include "common/hashfn.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "text/format_internal.h"
#include "compat.h"

#define FILTER_BITS		12
#define FILTER_PROBES	8
#define FILTER_MAX_BITS	(UINT64CONST(1) << 31)

/* What is learned from; every value is in the filter all the same. */
#define LEARN_VALUES	200000

#define LENGTH_KNOTS	64
#define SOME_LENGTH		6		/* where too few rows tell */
#define TRIALS			512		/* of a text */
#define DOCUMENT_TRIALS	64
#define FULL_TRIES		4		/* where all of them hit */

/* The hash of a value, as the filter takes it. */
uint64
gs_format_hash(const char *text, int len, uint64 salt)
{
	return hash_bytes_extended((const unsigned char *) text, len, salt);
}

static inline uint32
filter_bit(uint64 hash, int probe, uint32 nwords)
{
	uint32		mixed = (uint32) hash + probe * ((uint32) (hash >> 32) | 1);

	return (uint32) (((uint64) mixed * ((uint64) nwords * 32)) >> 32);
}

static void
filter_add(GsFormat *format, uint64 hash)
{
	for (int i = 0; i < FILTER_PROBES; i++)
	{
		uint32		bit = filter_bit(hash, i, format->head.nfilter);

		format->filter[bit / 32] |= (uint32) 1 << bit % 32;
	}
}

/*
 * Whether a text is a rare source value: never false for one, true for one in
 * 300 of the others.
 */
bool
gs_format_knows(const GsFormat *format, const char *text, int len)
{
	uint32		nwords = format->head.nfilter;
	uint64		hash;

	if (nwords == 0)
		return false;
	hash = gs_format_hash(text, len, format_salt(&format->head));
	for (int i = 0; i < FILTER_PROBES; i++)
	{
		uint32		bit = filter_bit(hash, i, nwords);

		if ((format->filter[bit / 32] >> bit % 32 & 1) == 0)
			return false;
	}
	return true;
}

/* An empty array that grows in the current memory context. */
static FormatVec
new_vec(uint32 width)
{
	FormatVec	vec = {.context = CurrentMemoryContext, .width = width};

	return vec;
}

/* Room for so many more elements at the end of an array, zeroed. */
void *
gs_format_push(FormatVec *vec, uint32 count)
{
	char	   *end;

	if (vec->data == NULL || vec->room - vec->n < count)
	{
		uint64		room = Max((uint64) vec->n * 2, (uint64) vec->n + count);

		room = Max(room, 64);
		if (room > MaxAllocHugeSize / vec->width || room > PG_INT32_MAX)
			ereport(ERROR,
					(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					 errmsg("too many values to learn a format from")));
		if (vec->data == NULL)
			vec->data = MemoryContextAllocHuge(vec->context,
											   room * vec->width);
		else
			vec->data = repalloc_huge(vec->data, room * vec->width);
		vec->room = (uint32) room;
	}
	end = vec->data + (Size) vec->n * vec->width;
	memset(end, 0, (Size) count * vec->width);
	vec->n += count;
	return end;
}

/* Begin a distribution: the items added next are its own. */
uint32
gs_format_begin(FormatBuilder *b)
{
	*(uint32 *) gs_format_push(&b->dists, 1) = b->items.n;
	return b->dists.n - 1;
}

void
gs_format_item(FormatBuilder *b, uint32 cum, uint32 a, uint32 c)
{
	FormatItem  *item = gs_format_push(&b->items, 1);

	item->cum = cum;
	item->a = a;
	item->b = c;
}

/*
 * A distribution of alternatives; what their weights lack to the total is the
 * share of something else.
 */
uint32
gs_format_shares(FormatBuilder *b, const FormatShare *shares, int n,
				 double total)
{
	uint32		dist = gs_format_begin(b);
	double		sum = 0;

	for (int i = 0; i < n; i++)
	{
		double		share;

		sum += shares[i].weight;
		share = sum < total ? sum / total * (double) FORMAT_ALL : FORMAT_ALL;
		gs_format_item(b, (uint32) share, shares[i].a, shares[i].b);
	}
	return dist;
}

static int
compare_a(const void *pa, const void *pb)
{
	const FormatShare *a = pa;
	const FormatShare *b = pb;

	return (a->a > b->a) - (a->a < b->a);
}

/*
 * Of n sorted things the first, or the last, that as many rows as the threshold
 * have reached from that end, however many of them one row holds; -1 if there
 * are not so many rows.
 */
int
gs_format_end(const FormatHolder *holders, int n, bool last, int threshold)
{
	HASHCTL		control = {.keysize = sizeof(uint32),
		.entrysize = sizeof(uint32),.hcxt = CurrentMemoryContext
	};
	HTAB	   *rows = hash_create("gensynth rows at an end", 64, &control,
								   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	int			end = -1;

	for (int i = 0; i < n && end < 0; i++)
	{
		int			at = last ? n - 1 - i : i;

		(void) hash_search(rows, &holders[at].row, HASH_ENTER, NULL);
		if (holders[at].rows >= threshold ||
			hash_get_num_entries(rows) >= threshold)
			end = at;
	}
	hash_destroy(rows);
	return end;
}

/*
 * A distribution of lengths (in a, with weights in rows; b is the row, or one
 * of them; sorted in place) at equally spaced ranks.  The ends are not those
 * of fewer than the threshold's rows, which could tell a single one.  Where the
 * ends cross there is the mean; where all are of too few rows, they are not
 * looked at.
 */
uint32
gs_format_lengths(FormatBuilder *b, FormatShare *lengths, int n)
{
	FormatShare	knots[LENGTH_KNOTS];
	int			nknots = 0;
	int			at = 0;
	double		total = 0;
	double		sum = 0;
	double		below = 0;
	FormatHolder *holders = palloc(sizeof(FormatHolder) * Max(n, 1));
	int			first;
	int			last;

	qsort(lengths, n, sizeof(FormatShare), compare_a);
	for (int i = 0; i < n; i++)
	{
		total += lengths[i].weight;
		sum += lengths[i].weight * lengths[i].a;
		holders[i] = (FormatHolder) {lengths[i].b, (int64) lengths[i].weight};
	}
	first = gs_format_end(holders, n, false, b->threshold);
	last = gs_format_end(holders, n, true, b->threshold);
	pfree(holders);
	if (n > 0 && (first < 0 || last < first))
		knots[nknots++] = (FormatShare) {LENGTH_KNOTS, first < 0 ?
		SOME_LENGTH : (uint32) rint(sum / total), 0};
	for (int i = 0; i < LENGTH_KNOTS && 0 <= first && first <= last; i++)
	{
		double		rank = (i + 0.5) / LENGTH_KNOTS * total;
		int			k;

		while (at < n - 1 && below + lengths[at].weight <= rank)
			below += lengths[at++].weight;
		k = Min(Max(at, first), last);
		if (nknots > 0 && knots[nknots - 1].a == lengths[k].a)
			knots[nknots - 1].weight += 1;
		else
		{
			knots[nknots] = lengths[k];
			knots[nknots++].weight = 1;
		}
	}
	return gs_format_shares(b, knots, nknots, LENGTH_KNOTS);
}

/* Keep bytes, NUL-ended; returns their offset. */
uint32
gs_format_bytes(FormatBuilder *b, const char *text, int len)
{
	uint32		offset = b->bytes.n;

	memcpy(gs_format_push(&b->bytes, (uint32) len + 1), text, len);
	return offset;
}

/* Bytes built so far. */
Size
gs_format_used(const FormatBuilder *b)
{
	return (Size) b->texts.n * b->texts.width +
		(Size) b->slots.n * b->slots.width +
		(Size) b->nodes.n * b->nodes.width +
		(Size) b->dists.n * b->dists.width +
		(Size) b->items.n * b->items.width + b->bytes.n;
}

/*
 * Take every how manieth value, so that time and memory stay bounded.  What is
 * held by enough rows of a sample is held by enough rows.
 */
int
gs_format_stride(const FormatValue *values, int n, uint64 max_bytes)
{
	uint64		bytes = 0;
	uint64		stride;

	for (int i = 0; i < n; i++)
		bytes += values[i].len;
	stride = Max(n / LEARN_VALUES, bytes / max_bytes) + 1;
	return (int) Min(stride, (uint64) Max(n, 1));
}

/* An array's elements and so many more, zeroed, in the current context. */
static void *
copy_vec(const FormatVec *vec, uint32 more)
{
	char	   *data = palloc_extended(((Size) vec->n + more) * vec->width + 1,
									   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);

	if (vec->n > 0)
		memcpy(data, vec->data, (Size) vec->n * vec->width);
	return data;
}

/* Put the parts together, with a filter for so many hashes. */
static GsFormat *
assemble(const FormatBuilder *b, FormatRoot root, int max_chars,
		 uint64 nhashes)
{
	uint64		bits = Min(nhashes * FILTER_BITS, FILTER_MAX_BITS);
	GsFormat   *format = palloc0(sizeof(GsFormat));
	FormatHeader *head = &format->head;

	head->encoding = GetDatabaseEncoding();
	head->root = root;
	head->max_chars = Max(max_chars, 0);
	head->tries = FORMAT_TRIES;
	head->salt[0] = (uint32) b->salt;
	head->salt[1] = (uint32) (b->salt >> 32);
	head->ntexts = b->texts.n;
	head->nslots = b->slots.n;
	head->nnodes = b->nodes.n;
	head->ndists = b->dists.n;
	head->nitems = b->items.n;
	head->nfilter = (uint32) ((bits + 31) / 32);
	head->nbytes = b->bytes.n + 1;	/* a NUL ends the bytes */

	format->texts = copy_vec(&b->texts, 0);
	format->slots = copy_vec(&b->slots, 0);
	format->nodes = copy_vec(&b->nodes, 0);
	format->dists = copy_vec(&b->dists, 1);
	format->dists[head->ndists] = head->nitems;
	format->items = copy_vec(&b->items, 0);
	format->bytes = copy_vec(&b->bytes, 1);
	format->filter = palloc_extended(sizeof(uint32) * Max(head->nfilter, 1),
									 MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	return format;
}

/*
 * Where every draw is a rare value the space is full (all two-digit codes,
 * say) and many redraws are only slow: try in advance.
 */
static void
limit_tries(GsFormat *format)
{
	GsRandom	random;
	StringInfoData out;

	initStringInfo(&out);
	/* the texts first, for documents are made of them */
	for (uint32 t = 0; t <= format->head.ntexts; t++)
	{
		bool		document = t == format->head.ntexts;
		int			n = document ? DOCUMENT_TRIALS : TRIALS;
		int			hits = 0;

		if (document && format->head.root != FORMAT_JSON)
			break;
		for (int i = 0; i < n && hits == i; i++)
		{
			CHECK_FOR_INTERRUPTS();
			resetStringInfo(&out);
			gs_random_start(&random, format_salt(&format->head), i, t);
			if (document)
				gs_format_draw_json(format, NULL, NULL, &random, &out);
			else
				gs_format_draw_once(format, &format->texts[t], NULL, &random,
									FORMAT_KNOWN, &out);
			hits += gs_format_knows(format, out.data, out.len);
		}
		if (hits == n)
		{
			if (document)
				format->head.tries = FULL_TRIES;
			else
				format->texts[t].tries = FULL_TRIES;
		}
	}
	pfree(out.data);
}

/*
 * gs_format_is_full: whether nearly all that a text's formats make are rare
 * source values, and there are no digits that could be others.
 */
bool
gs_format_is_full(const GsFormat *format)
{
	if (format->head.root != FORMAT_TEXT ||
		format->texts[0].tries == FORMAT_TRIES)
		return false;
	for (uint32 i = 0; i < format->head.nslots; i++)
		if (format->slots[i].class > CLASS_DIGITS)
			return false;
	return true;
}

/*
 * Learn a column's formats.
 *
 * values are its distinct values (for FORMAT_JSON valid JSON text), all but
 * those whose hashes (gs_format_hash with the same salt) are in rare_hashes.
 * Values of fewer than rare_threshold rows are never drawn, as far as the
 * formats leave another choice.  max_chars limits a text's characters (0 =
 * none).  The salt should differ from one fit to the next.
 *
 * Returns a format in the current memory context.  The same arguments give the
 * same format.  Errors are those of jsonb_in, and of memory.
 */
GsFormat *
gs_format_learn(FormatRoot root, const FormatValue *values, int nvalues,
				int rare_threshold, int max_chars, uint64 salt,
				const uint64 *rare_hashes, int64 nhashes)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch;
	FormatBuilder b = {0};
	GsFormat   *format;

	scratch = AllocSetContextCreate(caller, "gensynth shape",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	b.threshold = Max(rare_threshold, 1);
	b.salt = salt;
	b.texts = new_vec(sizeof(FormatText));
	b.slots = new_vec(sizeof(FormatSlot));
	b.nodes = new_vec(sizeof(FormatNode));
	b.dists = new_vec(sizeof(uint32));
	b.items = new_vec(sizeof(FormatItem));
	b.bytes = new_vec(1);
	b.rare = new_vec(sizeof(uint64));

	for (int i = 0; i < nvalues; i++)
		if (values[i].count < b.threshold)
			*(uint64 *) gs_format_push(&b.rare, 1) =
				gs_format_hash(values[i].text, values[i].len, salt);
	if (root == FORMAT_JSON)
		gs_format_learn_json(&b, values, nvalues);
	else
		gs_format_learn_text(&b, values, nvalues, FORMAT_BUDGET);

	MemoryContextSwitchTo(caller);
	format = assemble(&b, root, max_chars, b.rare.n + Max(nhashes, 0));
	for (uint32 i = 0; i < b.rare.n; i++)
		filter_add(format, ((uint64 *) b.rare.data)[i]);
	for (int64 i = 0; i < nhashes; i++)
		filter_add(format, rare_hashes[i]);
	MemoryContextDelete(scratch);
	limit_tries(format);
	return format;
}
