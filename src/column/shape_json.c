/*
 * shape_json.c
 *	  Learning the shape of JSON documents.
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

#include "column/shape_internal.h"
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

static uint32 learn_node(ShapeBuilder *b, HeldList *list, int depth,
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
	held->row = from->row;
	held->count = from->count;
	return held;
}

static JsonType
json_type(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvBool:
			return JSON_BOOL;
		case jbvNumeric:
			return JSON_NUMBER;
		case jbvString:
			return JSON_STRING;
		case jbvBinary:
			return JsonContainerIsObject(value->val.binary.data) ?
				JSON_OBJECT : JSON_ARRAY;
		default:
			return JSON_NULL;
	}
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

static int
compare_counts(const void *pa, const void *pb)
{
	const ShapeValue *a = pa;
	const ShapeValue *b = pb;
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

/* Frequent strings verbatim, the rest by a model of text. */
static void
learn_strings(ShapeBuilder *b, HeldList *list, Size budget, uint32 index)
{
	ShapeValue *values;
	ShapeShare *shares;
	double		total = 0;
	int64		rest = 0;
	Size		bytes = 0;
	int			n = 0;
	int			nkept = 0;
	uint32		strings;
	uint32		text = SHAPE_NONE;

	qsort(list->held, list->n, sizeof(Held), compare_strings);
	values = MemoryContextAllocHuge(CurrentMemoryContext,
									list->n * sizeof(ShapeValue));
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
		values[n++].count = held->count;
	}
	qsort(values, n, sizeof(ShapeValue), compare_counts);

	shares = palloc(MAX_VERBATIM_STRINGS * sizeof(ShapeShare));
	while (nkept < n && nkept < MAX_VERBATIM_STRINGS && bytes < budget / 2 &&
		   values[nkept].count >= b->threshold &&
		   values[nkept].len <= SHAPE_MAX_VERBATIM)
	{
		ShapeValue *value = &values[nkept];

		shares[nkept].weight = value->count;
		shares[nkept].a = gs_shape_bytes(b, value->text, value->len);
		shares[nkept++].b = value->len;
		total += value->count;
		bytes += value->len + sizeof(ShapeItem);
	}
	for (int i = nkept; i < n; i++)
	{
		rest += values[i].count;
		if (values[i].count < b->threshold)
			*(uint64 *) gs_shape_push(&b->rare, 1) =
				gs_shape_hash(values[i].text, values[i].len, b->salt);
	}
	if (nkept == 0 || rest >= b->threshold)
		total += rest;
	strings = gs_shape_shares(b, shares, nkept, total);
	if (nkept == 0 || rest >= b->threshold)
		text = gs_shape_learn_text(b, values + nkept, n - nkept,
								   budget > bytes ? budget - bytes : 0);
	((ShapeNode *) b->nodes.data)[index].strings = strings;
	((ShapeNode *) b->nodes.data)[index].text = text;
	pfree(shares);
	pfree(values);
}

static void
number_item(ShapeShare *share, double number, double weight)
{
	uint64		bits;

	memcpy(&bits, &number, sizeof(bits));
	share->weight = weight;
	share->a = (uint32) bits;
	share->b = (uint32) (bits >> 32);
}

/* Frequent numbers exactly, the rest by quantiles. */
static void
learn_numbers(ShapeBuilder *b, HeldList *list, ShapeNode *node)
{
	Number	   *numbers;
	ShapeShare	shares[Max(MAX_ATOMS, MAX_KNOTS)];
	int64		scale_rows[SHAPE_MAX_SCALE + 2] = {0};
	int64		rows = 0;
	double		total = 0;
	double		rest = 0;
	double		below = 0;
	double		first;
	int			n = 0;
	int			natoms = 0;
	int			nknots = 0;
	int			at;

	numbers = MemoryContextAllocHuge(CurrentMemoryContext,
									 list->n * sizeof(Number));
	for (Size i = 0; i < list->n; i++)
	{
		Datum		value = NumericGetDatum(list->held[i].value.val.numeric);
		Number	   *number = &numbers[n];
		Datum		rounded;

		rounded = DirectFunctionCall1(numeric_float8_no_overflow, value);
		number->number = DatumGetFloat8(rounded);
		if (!isfinite(number->number))
			continue;
		number->scale = DatumGetInt32(DirectFunctionCall1(numeric_scale,
														  value));
		number->row = list->held[i].row;
		number->rows = number->weight = list->held[i].count;
		scale_rows[Min(Max(number->scale, 0), SHAPE_MAX_SCALE)] +=
			number->weight;
		total += number->weight;
		n++;
	}

	/* decimals: as many as enough values have, or all alike */
	for (at = SHAPE_MAX_SCALE; at > 0; at--)
	{
		rows += scale_rows[at];
		if (rows >= b->threshold)
			break;
	}
	node->scale = at;
	node->fixed = scale_rows[at] >= total;

	/* distinct numbers */
	qsort(numbers, n, sizeof(Number), compare_numbers);
	at = 0;
	for (int i = 1; i < n; i++)
	{
		if (numbers[i].number != numbers[at].number)
		{
			numbers[++at] = numbers[i];
			continue;
		}
		if (numbers[i].row != numbers[at].row)
			numbers[at].rows += numbers[i].rows;
		numbers[at].row = numbers[i].row;
		numbers[at].weight += numbers[i].weight;
	}
	n = n > 0 ? at + 1 : 0;

	qsort(numbers, n, sizeof(Number), compare_weights);
	while (natoms < n && natoms < MAX_ATOMS &&
		   numbers[natoms].rows >= b->threshold &&
		   numbers[natoms].weight >= ATOM_SHARE * total)
	{
		number_item(&shares[natoms], numbers[natoms].number,
					numbers[natoms].weight);
		natoms++;
	}
	for (int i = natoms; i < n; i++)
		rest += numbers[i].weight;
	if (natoms > 0 && rest < b->threshold)
	{
		total -= rest;
		rest = 0;
	}
	node->atoms = gs_shape_shares(b, shares, natoms, total);

	/* equally spaced quantiles, the ends not those of too few rows */
	numbers += natoms;
	n = rest > 0 ? n - natoms : 0;
	qsort(numbers, n, sizeof(Number), compare_numbers);
	first = Min(b->threshold - 0.5, rest / 2);
	at = 0;
	for (; nknots < MAX_KNOTS && n > 0; nknots++)
	{
		double		rank = nknots / (MAX_KNOTS - 1.0) * rest;

		rank = Min(Max(rank, first), rest - first);
		while (at < n - 1 && below + numbers[at].weight <= rank)
			below += numbers[at++].weight;
		number_item(&shares[nknots], numbers[at].number, 1);
	}
	/* a node without any finite number still needs one */
	if (natoms == 0 && nknots == 0)
		number_item(&shares[nknots++], 0, 1);
	node->knots = gs_shape_shares(b, shares, nknots, nknots);
}

/* A node for every key that enough rows have, in jsonb's order. */
static void
learn_keys(ShapeBuilder *b, HeldList *list, double objects, int depth,
		   Size budget, uint32 index)
{
	ShapeVec	keys = {.context = CurrentMemoryContext,
	.width = sizeof(ShapeItem)};
	Size		limit = gs_shape_used(b) + budget;
	uint32		dist;
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
			Size		used = gs_shape_used(b);
			ShapeItem  *item;
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
			if (rows < b->threshold || key->key_len > SHAPE_MAX_VERBATIM ||
				b->nodes.n >= SHAPE_MAX_NODES - SHAPE_MAX_DEPTH - 1)
				continue;
			if (pass == 0)
			{
				nkeys++;
				continue;
			}
			item = gs_shape_push(&keys, 1);
			item->cum = weight < objects ?
				weight / objects * (double) SHAPE_ALL : SHAPE_ALL;
			item->a = gs_shape_bytes(b, key->key, key->key_len);
			members.n = members.room = last - i;
			child = learn_node(b, &members, depth,
							   limit > used ? (limit - used) / nkeys : 0);
			((ShapeItem *) keys.data)[keys.n - 1].b = child;
			nkeys = Max(nkeys - 1, 1);
		}
	}
	dist = gs_shape_begin(b);
	if (keys.n > 0)
	{
		memcpy(gs_shape_push(&b->items, keys.n), keys.data,
			   (Size) keys.n * sizeof(ShapeItem));
		pfree(keys.data);
	}
	((ShapeNode *) b->nodes.data)[index].keys = dist;
}

/*
 * Learn a node from the values in its place, within about so many bytes.  The
 * list is sorted in place; a node too deep, or of no value, is null.
 */
static uint32
learn_node(ShapeBuilder *b, HeldList *list, int depth, Size budget)
{
	uint32		index = b->nodes.n;
	ShapeNode	node;
	HeldList	part[JSON_NTYPES] = {{0}};
	HeldList	members = {0};
	HeldList	elements = {0};
	ShapeShare *lengths = NULL;
	ShapeShare	shares[JSON_NTYPES];
	double		weight[JSON_NTYPES] = {0};
	double		truth = 0;
	double		total = 0;
	int64		rows[JSON_NTYPES] = {0};
	int			last[JSON_NTYPES];
	int			nlengths = 0;
	int			nshares = 0;

	check_stack_depth();
	memset(&node, 0xff, sizeof(node));
	node.truth = node.scale = node.fixed = 0;
	gs_shape_push(&b->nodes, 1);
	memset(last, 0xff, sizeof(last));

	for (Size i = 0; i < list->n && depth < SHAPE_MAX_DEPTH; i++)
	{
		Held	   *held = &list->held[i];
		JsonType	type = json_type(&held->value);

		if (held->row != last[type])
			rows[type] += held->count;
		last[type] = held->row;
		weight[type] += held->count;
		if (type == JSON_BOOL && held->value.val.boolean)
			truth += held->count;
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
	node.types = gs_shape_shares(b, shares, nshares, total);
	if (rows[JSON_BOOL] >= b->threshold)
	{
		/* what too few rows have does not show */
		if (truth < b->threshold)
			truth = 0;
		else if (weight[JSON_BOOL] - truth < b->threshold)
			truth = weight[JSON_BOOL];
		node.truth = truth / weight[JSON_BOOL] * SHAPE_ALL;
	}
	if (rows[JSON_NUMBER] >= b->threshold)
		learn_numbers(b, &part[JSON_NUMBER], &node);
	((ShapeNode *) b->nodes.data)[index] = node;

	if (rows[JSON_STRING] >= b->threshold)
		learn_strings(b, &part[JSON_STRING], budget, index);
	else
		for (Size i = 0; i < part[JSON_STRING].n; i++)
		{
			JsonbValue *value = &part[JSON_STRING].held[i].value;

			*(uint64 *) gs_shape_push(&b->rare, 1) =
				gs_shape_hash(value->val.string.val, value->val.string.len,
							  b->salt);
		}

	for (int type = JSON_ARRAY; type <= JSON_OBJECT; type++)
	{
		if (rows[type] < b->threshold)
			continue;
		if (type == JSON_ARRAY)
			lengths = palloc(part[type].n * sizeof(ShapeShare));
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
				lengths[nlengths].b = 0;
				lengths[nlengths++].a = Min(JsonContainerSize(container),
											SHAPE_MAX_ELEMENTS);
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
				}
			}
		}
	}
	for (int type = 0; type < JSON_NTYPES; type++)
		if (part[type].held)
			pfree(part[type].held);
	if (lengths)
	{
		uint32		dist = gs_shape_lengths(b, lengths, nlengths);
		uint32		element;

		/* even of empty arrays, for a node must have what its types need */
		element = learn_node(b, &elements, depth + 1, budget / 2);
		((ShapeNode *) b->nodes.data)[index].lengths = dist;
		((ShapeNode *) b->nodes.data)[index].element = element;
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
gs_shape_learn_json(ShapeBuilder *b, const ShapeValue *values, int n)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext scratch;
	int			stride = gs_shape_stride(values, n, LEARN_BYTES);
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
			*(uint64 *) gs_shape_push(&b->rare, 1) =
				gs_shape_hash(text, strlen(text), b->salt);
			pfree(text);
		}
		if (!JB_ROOT_IS_SCALAR(jsonb) ||
			!JsonbExtractScalar(&jsonb->root, &value))
		{
			value.type = jbvBinary;
			value.val.binary.data = &jsonb->root;
			value.val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
		}
		hold(&list, &from, &value);
	}
	learn_node(b, &list, 0, SHAPE_BUDGET);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(scratch);
}
