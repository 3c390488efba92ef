/*
 * format_json.c
 *	  Learning the format of JSON documents.
 *
 * Documents are learned top down: a node gets all the values that stand in
 * its place, counts their types, and hands on the values of each key that
 * enough rows have, and all array elements, to nodes of their own.  So rare
 * keys, which may be somebody's name, never get a node.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"

#include "text/format_internal.h"
#include "compat.h"

#define LEARN_BYTES			(8 * 1024 * 1024)
#define MAX_DOCUMENT		(1024 * 1024)	/* to be learned from */
#define MAX_VERBATIM_STRINGS 1000
#define MAX_ATOMS			64
#define ATOM_SHARE			0.005	/* of a node's numbers, to keep one */
#define MAX_KNOTS			64

/* A value in a place, and the row that it comes from. */
typedef struct Held
{
	JsonbValue	value;
	const char *key;			/* of an object's member */
	int			key_len;
	uint32		object;			/* that it is a member of, in its node */
	int			row;
	int64		count;
} Held;

typedef struct HeldList
{
	Held	   *held;
	Size		n;
	Size		room;
} HeldList;

/* Distinct values of a kind and how many rows hold them. */
typedef struct Number
{
	double		number;
	int			scale;
	int			row;
	int64		rows;			/* distinct rows */
	int64		weight;			/* occurrences */
} Number;

static uint32 learn_node(FormatBuilder *b, HeldList *list, int depth,
						 Size budget);

static Held *
hold(HeldList *list, const Held *from, const JsonbValue *value)
{
	Held	   *held;

	if (list->n == list->room)
	{
		list->room = Max(64, list->room * 2);
		if (list->held == NULL)
			list->held = MemoryContextAllocHuge(CurrentMemoryContext,
												list->room * sizeof(Held));
		else
			list->held = repalloc_huge(list->held, list->room * sizeof(Held));
	}
	held = &list->held[list->n++];
	held->value = *value;
	held->key = NULL;
	held->key_len = 0;
	held->object = 0;
	held->row = from->row;
	held->count = from->count;
	return held;
}

static int
compare_rows(const Held *a, const Held *b)
{
	return (a->row > b->row) - (a->row < b->row);
}

/* As jsonb orders keys: the shorter ones first. */
static int
compare_keys(const void *pa, const void *pb)
{
	const Held *a = pa;
	const Held *b = pb;
	int			order;

	if (a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	order = memcmp(a->key, b->key, a->key_len);
	return order != 0 ? order : compare_rows(a, b);
}

static int
compare_strings(const void *pa, const void *pb)
{
	const Held *a = pa;
	const Held *b = pb;
	int			alen = a->value.val.string.len;
	int			blen = b->value.val.string.len;
	int			order;

	order = memcmp(a->value.val.string.val, b->value.val.string.val,
				   Min(alen, blen));
	if (order == 0)
		order = (alen > blen) - (alen < blen);
	return order != 0 ? order : compare_rows(a, b);
}

/* By the row that strings are of. */
static int
compare_value_rows(const void *pa, const void *pb)
{
	const FormatValue *a = pa;
	const FormatValue *b = pb;
	int			order;

	if (a->row != b->row)
		return a->row < b->row ? -1 : 1;
	order = memcmp(a->text, b->text, Min(a->len, b->len));
	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int
compare_counts(const void *pa, const void *pb)
{
	const FormatValue *a = pa;
	const FormatValue *b = pb;
	int			order;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	order = memcmp(a->text, b->text, Min(a->len, b->len));
	return order != 0 ? order : (a->len > b->len) - (a->len < b->len);
}

static int
compare_numbers(const void *pa, const void *pb)
{
	const Number *a = pa;
	const Number *b = pb;

	if (a->number != b->number)
		return a->number < b->number ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

static int
compare_weights(const void *pa, const void *pb)
{
	const Number *a = pa;
	const Number *b = pb;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return compare_numbers(pa, pb);
}

static inline bool
same_string(const Held *a, const Held *b)
{
	return a->value.val.string.len == b->value.val.string.len &&
		memcmp(a->value.val.string.val, b->value.val.string.val,
			   a->value.val.string.len) == 0;
}

/*
 * The strings that are not kept verbatim, once for each row that holds them,
 * in the order of rows.
 *
 * rest: n of them, whose row is the first place in the sorted list
 */
static FormatValue *
strings_of_rows(const HeldList *list, const FormatValue *rest, int n,
				int *nstrings)
{
	FormatValue *strings = MemoryContextAllocHuge(CurrentMemoryContext,
												  (list->n + 1) *
												  sizeof(FormatValue));
	int			k = 0;

	for (int i = 0; i < n; i++)
	{
		const Held *first = &list->held[rest[i].row];

		for (const Held *held = first; held < list->held + list->n &&
			 same_string(held, first); held++)
			if (held == first || held->row != held[-1].row)
				strings[k++] = (FormatValue) {rest[i].text, rest[i].len,
				held->row, held->count};
	}
	qsort(strings, k, sizeof(FormatValue), compare_value_rows);
	*nstrings = k;
	return strings;
}

/* Whether as many rows as need be hold strings, which are sorted by rows. */
static bool
enough_rows(FormatBuilder *b, const FormatValue *strings, int n)
{
	int64		rows = 0;

	for (int i = 0; i < n; i++)
		if (i == 0 || strings[i].row != strings[i - 1].row)
			rows += strings[i].count;
	return rows >= b->threshold;
}

/* Frequent strings verbatim, the rest by a model of text. */
static void
learn_strings(FormatBuilder *b, HeldList *list, Size budget, uint32 index)
{
	FormatValue *values;
	FormatShare *shares;
	FormatValue *novel;
	double		total = 0;
	double		rest = 0;
	Size		bytes = 0;
	int			n = 0;
	int			nkept = 0;
	int			nnovel;
	uint32		strings;
	uint32		text = FORMAT_NONE;

	qsort(list->held, list->n, sizeof(Held), compare_strings);
	values = MemoryContextAllocHuge(CurrentMemoryContext,
									list->n * sizeof(FormatValue));
	for (Size i = 0; i < list->n; i++)
	{
		Held	   *held = &list->held[i];
		const char *string = held->value.val.string.val;
		int			len = held->value.val.string.len;

		if (n > 0 && values[n - 1].len == len &&
			memcmp(values[n - 1].text, string, len) == 0)
		{
			if (held->row != held[-1].row)
				values[n - 1].count += held->count;
			continue;
		}
		values[n].text = string;
		values[n].len = len;
		values[n].row = (int) i;
		values[n++].count = held->count;
	}
	qsort(values, n, sizeof(FormatValue), compare_counts);

	shares = palloc(MAX_VERBATIM_STRINGS * sizeof(FormatShare));
	for (int i = 0; i < n && nkept < MAX_VERBATIM_STRINGS &&
		 bytes < budget / 2 && values[i].count >= b->threshold; i++)
	{
		FormatValue	value = values[i];

		if (value.len > FORMAT_MAX_VERBATIM)
			continue;
		shares[nkept].weight = value.count;
		shares[nkept].a = gs_format_bytes(b, value.text, value.len);
		shares[nkept].b = value.len;
		total += value.count;
		bytes += value.len + sizeof(FormatItem);
		/* the rest comes after those that are kept */
		values[i] = values[nkept];
		values[nkept++] = value;
	}
	for (int i = nkept; i < n; i++)
	{
		rest += values[i].count;
		if (values[i].count < b->threshold)
			*(uint64 *) gs_format_push(&b->rare, 1) =
				gs_format_hash(values[i].text, values[i].len, b->salt);
	}
	novel = strings_of_rows(list, values + nkept, n - nkept, &nnovel);
	if (enough_rows(b, novel, nnovel))
	{
		total += rest;
		strings = gs_format_shares(b, shares, nkept, total);
		text = gs_format_learn_text(b, novel, nnovel,
									budget > bytes ? budget - bytes : 0);
	}
	else
		strings = gs_format_shares(b, shares, nkept, total);
	pfree(novel);
	((FormatNode *) b->nodes.data)[index].strings = strings;
	((FormatNode *) b->nodes.data)[index].text = text;
	pfree(shares);
	pfree(values);
}

static void
number_item(FormatShare *share, double number, double weight)
{
	uint64		bits;

	memcpy(&bits, &number, sizeof(bits));
	share->weight = weight;
	share->a = (uint32) bits;
	share->b = (uint32) (bits >> 32);
}

/*
 * Finite numbers with the row of each, sorted, one for each number of a row.
 * Sets the node's decimals.
 */
static Number *
numbers_of_rows(FormatBuilder *b, const HeldList *list, FormatNode *node,
				int *nnumbers, double *total)
{
	Number	   *numbers = MemoryContextAllocHuge(CurrentMemoryContext,
												 list->n * sizeof(Number));
	int64		scale_rows[FORMAT_MAX_SCALE + 1] = {0};	/* most of a row */
	const Held *last = NULL;
	int			max = 0;		/* of the last row */
	double		scaled[FORMAT_MAX_SCALE + 1] = {0};
	int64		rows = 0;
	int			n = 0;
	int			at;

	for (Size i = 0; i < list->n; i++)
	{
		const Held *held = &list->held[i];
		Datum		value = NumericGetDatum(held->value.val.numeric);
		double		number = DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
																value));

		if (!isfinite(number))
			continue;
		at = DatumGetInt32(DirectFunctionCall1(numeric_scale, value));
		at = Min(Max(at, 0), FORMAT_MAX_SCALE);
		if (last == NULL || last->row != held->row)
		{
			scale_rows[at] += held->count;
			max = at;
		}
		else if (at > max)
		{
			scale_rows[max] -= held->count;
			scale_rows[at] += held->count;
			max = at;
		}
		last = held;
		scaled[at] += held->count;
		*total += held->count;
		numbers[n++] = (Number) {.number = number,.row = held->row,
			.rows = held->count,.weight = held->count
		};
	}

	/* decimals: as many as enough rows have, or all alike */
	for (at = FORMAT_MAX_SCALE; at > 0; at--)
	{
		rows += scale_rows[at];
		if (rows >= b->threshold)
			break;
	}
	node->scale = at;
	node->fixed = scaled[at] >= *total;

	qsort(numbers, n, sizeof(Number), compare_numbers);
	at = 0;
	for (int i = 1; i < n; i++)
	{
		if (numbers[i].number != numbers[at].number ||
			numbers[i].row != numbers[at].row)
			numbers[++at] = numbers[i];
		else
			numbers[at].weight += numbers[i].weight;
	}
	*nnumbers = n > 0 ? at + 1 : 0;
	return numbers;
}

/*
 * Distinct numbers out of those of rows; place: of the first, in row.
 */
static Number *
distinct_numbers(const Number *numbers, int n, int *ndistinct)
{
	Number	   *distinct = MemoryContextAllocHuge(CurrentMemoryContext,
												  (Size) Max(n, 1) * sizeof(Number));
	int			at = -1;

	for (int i = 0; i < n; i++)
	{
		if (at < 0 || numbers[i].number != distinct[at].number)
		{
			distinct[++at] = numbers[i];
			distinct[at].row = i;
			continue;
		}
		distinct[at].rows += numbers[i].rows;
		distinct[at].weight += numbers[i].weight;
	}
	*ndistinct = at + 1;
	return distinct;
}

/*
 * Equally spaced quantiles of n numbers of rows, each of which counts once in
 * a row; the ends are not those of too few rows, and where they cross there is
 * the mean.  Returns how many; 0 if too few rows hold any.
 */
static int
learn_knots(FormatBuilder *b, const Number *numbers, int n,
			FormatShare *shares)
{
	FormatHolder *holders = MemoryContextAllocHuge(CurrentMemoryContext,
												   (Size) Max(n, 1) *
												   sizeof(FormatHolder));
	double		total = 0;
	double		sum = 0;
	double		below = 0;
	int			at = 0;
	int			first;
	int			last;

	for (int i = 0; i < n; i++)
	{
		holders[i] = (FormatHolder) {numbers[i].row, numbers[i].rows};
		total += numbers[i].rows;
	}
	for (int i = 0; i < n; i++)
		sum += numbers[i].number * (numbers[i].rows / total);
	first = gs_format_end(holders, n, false, b->threshold);
	last = gs_format_end(holders, n, true, b->threshold);
	pfree(holders);
	if (first < 0)
		return 0;
	if (last < first)
	{
		number_item(&shares[0], sum, 1);
		return 1;
	}
	for (int k = 0; k < MAX_KNOTS; k++)
	{
		double		rank = k / (MAX_KNOTS - 1.0) * total;

		while (at < n - 1 && below + numbers[at].rows <= rank)
			below += numbers[at++].rows;
		number_item(&shares[k], numbers[Min(Max(at, first), last)].number, 1);
	}
	return MAX_KNOTS;
}

/* Frequent numbers exactly, the rest by quantiles. */
static void
learn_numbers(FormatBuilder *b, HeldList *list, FormatNode *node)
{
	FormatShare	shares[Max(MAX_ATOMS, MAX_KNOTS)];
	FormatShare	knots[MAX_KNOTS];
	double		total = 0;
	double		kept = 0;
	int			n;
	int			ndistinct;
	int			natoms = 0;
	int			nknots;
	int			nrest = 0;
	Number	   *numbers = numbers_of_rows(b, list, node, &n, &total);
	Number	   *distinct = distinct_numbers(numbers, n, &ndistinct);

	qsort(distinct, ndistinct, sizeof(Number), compare_weights);
	for (int d = 0; d < ndistinct && natoms < MAX_ATOMS &&
		 distinct[d].weight >= ATOM_SHARE * total; d++)
	{
		int			at = distinct[d].row;

		if (distinct[d].rows < b->threshold)
			continue;
		number_item(&shares[natoms++], distinct[d].number,
					distinct[d].weight);
		kept += distinct[d].weight;
		/* an atom leaves the rest */
		for (int i = at; i < n && numbers[i].number == numbers[at].number; i++)
			numbers[i].rows = 0;
	}
	for (int i = 0; i < n; i++)
		if (numbers[i].rows > 0)
			numbers[nrest++] = numbers[i];
	nknots = learn_knots(b, numbers, nrest, knots);
	if (natoms > 0 && nknots == 0)
		total = kept;
	node->atoms = gs_format_shares(b, shares, natoms, total);
	/* a node without any finite number that shows still needs one */
	if (natoms == 0 && nknots == 0)
		number_item(&knots[nknots++], 0, 1);
	node->knots = gs_format_shares(b, knots, nknots, nknots);
	pfree(numbers);
	pfree(distinct);
}

/* A node for every key that enough rows have, in jsonb's order. */
static void
learn_keys(FormatBuilder *b, HeldList *list, double objects, int depth,
		   Size budget, uint32 index)
{
	FormatVec	keys = {.context = CurrentMemoryContext,
	.width = sizeof(FormatItem)};
	Size		limit = gs_format_used(b) + budget;
	FormatKey  *known = MemoryContextAllocHuge(CurrentMemoryContext,
											   Max(list->n, 1) *
											   sizeof(FormatKey));
	Size		nknown = 0;
	uint32		dist;
	uint32		sets;
	int			nkeys = 0;

	if (list->n > 0)
		qsort(list->held, list->n, sizeof(Held), compare_keys);

	/* first count the keys to keep, to share out the room; then learn them */
	for (int pass = 0; pass < 2; pass++)
	{
		for (Size i = 0, last; i < list->n; i = last)
		{
			Held	   *key = &list->held[i];
			HeldList	members = {.held = key};
			Size		used = gs_format_used(b);
			FormatItem  *item;
			uint32		child;
			double		weight = 0;
			int64		rows = 0;

			for (last = i; last < list->n; last++)
			{
				Held	   *held = &list->held[last];

				if (held->key_len != key->key_len ||
					memcmp(held->key, key->key, key->key_len) != 0)
					break;
				if (last == i || held->row != held[-1].row)
					rows += held->count;
				weight += held->count;
			}
			if (rows < b->threshold || key->key_len > FORMAT_MAX_VERBATIM ||
				b->nodes.n >= FORMAT_MAX_NODES - FORMAT_MAX_DEPTH - 1)
				continue;
			if (pass == 0)
			{
				nkeys++;
				continue;
			}
			item = gs_format_push(&keys, 1);
			item->cum = weight < objects ?
				weight / objects * (double) FORMAT_ALL : FORMAT_ALL;
			item->a = gs_format_bytes(b, key->key, key->key_len);
			members.n = members.room = last - i;
			child = learn_node(b, &members, depth,
							   limit > used ? (limit - used) / nkeys : 0);
			((FormatItem *) keys.data)[keys.n - 1].b = child;
			for (Size k = i; k < last; k++)
				known[nknown++] = (FormatKey) {list->held[k].object, child,
				list->held[k].row, list->held[k].count};
			nkeys = Max(nkeys - 1, 1);
		}
	}
	dist = gs_format_begin(b);
	if (keys.n > 0)
	{
		memcpy(gs_format_push(&b->items, keys.n), keys.data,
			   (Size) keys.n * sizeof(FormatItem));
		pfree(keys.data);
	}
	sets = gs_format_learn_sets(b, known, nknown, objects);
	pfree(known);
	((FormatNode *) b->nodes.data)[index].keys = dist;
	((FormatNode *) b->nodes.data)[index].sets = sets;
}

/*
 * Learn a node from the values in its place, within about so many bytes.  The
 * list is sorted in place; a node too deep, or of no value, is null.
 */
static uint32
learn_node(FormatBuilder *b, HeldList *list, int depth, Size budget)
{
	uint32		index = b->nodes.n;
	FormatNode	node;
	HeldList	part[JSON_NTYPES] = {{0}};
	HeldList	members = {0};
	HeldList	elements = {0};
	FormatShare *lengths = NULL;
	FormatShare	shares[JSON_NTYPES];
	double		weight[JSON_NTYPES] = {0};
	double		truth = 0;
	double		total = 0;
	int64		rows[JSON_NTYPES] = {0};
	int			last[JSON_NTYPES];
	int64		truth_rows[2] = {0};	/* of false, of true */
	int			truth_last[2] = {-1, -1};
	int			nlengths = 0;
	int			nshares = 0;

	check_stack_depth();
	memset(&node, 0xff, sizeof(node));
	node.truth = node.scale = node.fixed = 0;
	gs_format_push(&b->nodes, 1);
	memset(last, 0xff, sizeof(last));

	for (Size i = 0; i < list->n && depth < FORMAT_MAX_DEPTH; i++)
	{
		Held	   *held = &list->held[i];
		JsonType	type = gs_format_json_type(&held->value);

		if (held->row != last[type])
			rows[type] += held->count;
		last[type] = held->row;
		weight[type] += held->count;
		if (type == JSON_BOOL)
		{
			int			value = held->value.val.boolean ? 1 : 0;

			truth += value * held->count;
			if (truth_last[value] != held->row)
				truth_rows[value] += held->count;
			truth_last[value] = held->row;
		}
		hold(&part[type], held, &held->value);
	}
	for (JsonType type = JSON_NULL; type < JSON_NTYPES; type++)
	{
		if (rows[type] < b->threshold)
			continue;
		shares[nshares].weight = weight[type];
		shares[nshares].a = type;
		shares[nshares++].b = 0;
		total += weight[type];
	}
	node.types = gs_format_shares(b, shares, nshares, total);
	if (rows[JSON_BOOL] >= b->threshold)
	{
		/* what too few rows have does not show */
		if (truth_rows[1] < b->threshold)
			truth = 0;
		else if (truth_rows[0] < b->threshold)
			truth = weight[JSON_BOOL];
		node.truth = truth / weight[JSON_BOOL] * FORMAT_ALL;
	}
	if (rows[JSON_NUMBER] >= b->threshold)
		learn_numbers(b, &part[JSON_NUMBER], &node);
	((FormatNode *) b->nodes.data)[index] = node;

	if (rows[JSON_STRING] >= b->threshold)
		learn_strings(b, &part[JSON_STRING], budget, index);
	else
		for (Size i = 0; i < part[JSON_STRING].n; i++)
		{
			JsonbValue *value = &part[JSON_STRING].held[i].value;

			*(uint64 *) gs_format_push(&b->rare, 1) =
				gs_format_hash(value->val.string.val, value->val.string.len,
							   b->salt);
		}

	for (int type = JSON_ARRAY; type <= JSON_OBJECT; type++)
	{
		if (rows[type] < b->threshold)
			continue;
		if (type == JSON_ARRAY)
			lengths = palloc(part[type].n * sizeof(FormatShare));
		for (Size i = 0; i < part[type].n; i++)
		{
			Held	   *held = &part[type].held[i];
			JsonbContainer *container = held->value.val.binary.data;
			JsonbIterator *it = JsonbIteratorInit(container);
			JsonbIteratorToken token;
			JsonbValue	value;
			JsonbValue	key = {0};

			CHECK_FOR_INTERRUPTS();
			if (type == JSON_ARRAY)
			{
				lengths[nlengths].weight = held->count;
				lengths[nlengths].b = held->row;
				lengths[nlengths++].a = Min(JsonContainerSize(container),
											FORMAT_MAX_ELEMENTS);
			}
			while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
			{
				if (token == WJB_KEY)
					key = value;
				else if (token == WJB_ELEM)
					hold(&elements, held, &value);
				else if (token == WJB_VALUE)
				{
					Held	   *member = hold(&members, held, &value);

					member->key = key.val.string.val;
					member->key_len = key.val.string.len;
					member->object = (uint32) i;
				}
			}
		}
	}
	for (int type = 0; type < JSON_NTYPES; type++)
		if (part[type].held)
			pfree(part[type].held);
	if (lengths)
	{
		uint32		dist = gs_format_lengths(b, lengths, nlengths);
		uint32		element;

		/* even of empty arrays, for a node must have what its types need */
		element = learn_node(b, &elements, depth + 1, budget / 2);
		((FormatNode *) b->nodes.data)[index].lengths = dist;
		((FormatNode *) b->nodes.data)[index].element = element;
		if (elements.held)
			pfree(elements.held);
		pfree(lengths);
	}
	if (rows[JSON_OBJECT] >= b->threshold)
	{
		learn_keys(b, &members, weight[JSON_OBJECT], depth + 1, budget,
				   index);
		if (members.held)
			pfree(members.held);
	}
	return index;
}

/* Learn documents: the root becomes node 0. */
void
gs_format_learn_json(FormatBuilder *b, const FormatValue *values, int n)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch;
	int			stride = gs_format_stride(values, n, LEARN_BYTES);
	HeldList	list = {0};

	scratch = AllocSetContextCreate(caller, "gensynth shape of JSON",
									ALLOCSET_DEFAULT_SIZES);
	MemoryContextSwitchTo(scratch);
	for (int i = 0; i < n; i += stride)
	{
		char	   *text;
		Jsonb	   *jsonb;
		JsonbValue	value;
		Held		from = {.row = i,.count = values[i].count};

		CHECK_FOR_INTERRUPTS();
		if (values[i].len > MAX_DOCUMENT)
			continue;
		text = pnstrdup(values[i].text, values[i].len);
		jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
												   CStringGetDatum(text)));
		pfree(text);
		if (values[i].count < b->threshold)
		{
			/* the same document may be written otherwise */
			text = JsonbToCString(NULL, &jsonb->root, VARSIZE(jsonb));
			*(uint64 *) gs_format_push(&b->rare, 1) =
				gs_format_hash(text, strlen(text), b->salt);
			pfree(text);
		}
		gs_format_json_root(jsonb, &value);
		hold(&list, &from, &value);
	}
	learn_node(b, &list, 0, FORMAT_BUDGET);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}
