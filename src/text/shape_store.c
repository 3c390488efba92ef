/*
 * shape_store.c
 *	  Shapes as tensors; those that are read may hold anything.
 *
 * All that drawing relies on is checked here, once.  Every distribution,
 * slot and letter chain may be claimed by one owner only, which keeps the
 * check linear in the shape's size whatever it says, and no node may
 * lead back to an earlier one.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "column/tensor.h"
#include "text/shape_internal.h"

typedef struct Check
{
	Shape	   *shape;
	bool	   *claimed;		/* per distribution */
} Check;

static void
corrupted(const char *what)
{
	gs_corrupted("What a column generates is damaged: %s.", what);
}

/* Claim a distribution; returns its items and their number. */
static const ShapeItem *
claim(Check *check, uint32 dist, bool ordered, uint32 *n)
{
	const Shape *shape = check->shape;
	const ShapeItem *items;

	if (dist >= shape->head.ndists || check->claimed[dist])
		corrupted("distribution out of place");
	check->claimed[dist] = true;
	items = shape->items + shape->dists[dist];
	*n = shape->dists[dist + 1] - shape->dists[dist];
	for (uint32 i = 1; i < *n && ordered; i++)
		if (items[i].cum < items[i - 1].cum)
			corrupted("shares out of order");
	return items;
}

/* Whether nothing else is left. */
static bool
is_whole(const ShapeItem *items, uint32 n)
{
	return n > 0 && items[n - 1].cum == SHAPE_ALL;
}

static void
check_encoding(const char *text, uint32 len)
{
	if (!pg_verify_mbstr(GetDatabaseEncoding(), text, len, true))
		corrupted("text is not in the server encoding");
}

/* Verbatim tokens; returns whether they are all there is. */
static bool
check_vocabulary(Check *check, uint32 dist, uint32 least)
{
	uint32		n;
	const ShapeItem *items = claim(check, dist, true, &n);

	for (uint32 i = 0; i < n; i++)
	{
		if (items[i].b < least || items[i].b > SHAPE_MAX_VERBATIM ||
			items[i].a >= check->shape->head.nbytes ||
			items[i].b > check->shape->head.nbytes - items[i].a)
			corrupted("token out of range");
		check_encoding(check->shape->bytes + items[i].a, items[i].b);
	}
	return is_whole(items, n);
}

static void
check_lengths(Check *check, uint32 dist, uint32 least, uint32 most)
{
	uint32		n;
	const ShapeItem *items = claim(check, dist, true, &n);

	for (uint32 i = 0; i < n; i++)
		if (items[i].a < least || items[i].a > most)
			corrupted("length out of range");
}

static void
check_slot(Check *check, const ShapeSlot *slot)
{
	if (slot->class == 0 || slot->class > 255)
		corrupted("unknown token class");
	if (!CLASS_IS_SLOT(slot->class))
	{
		if (slot->class >= 128)
			corrupted("unknown token class");
		return;
	}
	if (slot->lower > slot->capital)
		corrupted("shares out of order");
	if (!check_vocabulary(check, slot->vocabulary, 1) &&
		slot->rest == SHAPE_NONE)
		corrupted("slot without tokens");
	if (slot->rest == SHAPE_NONE)
		return;
	if (CLASS_IS_WORD(slot->class))
	{
		check_lengths(check, slot->rest, 1, SHAPE_MAX_WORD);
		return;
	}
	for (uint32 i = 0; i < CLASS_LENGTH(slot->class); i++)
	{
		uint32		n;
		const ShapeItem *items;

		if (slot->rest >= SHAPE_NONE - i)
			corrupted("distribution out of place");
		items = claim(check, slot->rest + i, true, &n);
		if (!is_whole(items, n))
			corrupted("position without characters");
		for (uint32 k = 0; k < n; k++)
			if (items[k].a < '0' || items[k].a > 'z')
				corrupted("character out of range");
	}
}

/* A letter, 1 to 4 bytes packed. */
static void
check_letter(uint32 packed)
{
	char		letter[5] = {0};
	int			len = 0;

	for (; packed != 0; packed >>= 8)
		letter[len++] = packed & 255;
	if (len == 0)
		corrupted("empty letter");
	check_encoding(letter, len);
}

static void
check_letters(Check *check, const ShapeText *text)
{
	const Shape *shape = check->shape;
	uint64		pairs = (uint64) text->alphabet + 1 + text->nsymbols;
	uint32		n;
	const ShapeItem *items = claim(check, text->alphabet, true, &n);

	if (n != text->nsymbols || n == 0 || n > SHAPE_MAX_SYMBOLS ||
		pairs + text->npairs > shape->head.ndists)
		corrupted("alphabet out of range");
	for (uint32 i = 1; i < n; i++)
	{
		check_letter(items[i].a);
		check_letter(items[i].b);
	}
	for (uint32 d = text->alphabet + 1; d < pairs + text->npairs; d++)
	{
		items = claim(check, d, true, &n);
		for (uint32 i = 0; i < n; i++)
			if (items[i].a >= text->nsymbols ||
				(items[i].b != SHAPE_NONE &&
				 (items[i].b < pairs || items[i].b - pairs >= text->npairs)))
				corrupted("letter out of range");
	}
}

static void
check_text(Check *check, const ShapeText *text)
{
	const Shape *shape = check->shape;
	const ShapeHeader *head = &shape->head;
	uint32		n;
	const ShapeItem *items;

	if (text->tries < 1 || text->tries > SHAPE_TRIES)
		corrupted("number of tries out of range");
	check_letters(check, text);
	check_lengths(check, text->lengths, 0, SHAPE_MAX_LENGTH);

	items = claim(check, text->templates, true, &n);
	if (n > SHAPE_MAX_TEMPLATES)
		corrupted("too many templates");
	for (uint32 i = 0; i < n; i++)
	{
		const uint8 *class = (uint8 *) shape->bytes + items[i].a;
		const uint8 *start = class;
		uint32		slot = items[i].b;

		if (items[i].a >= head->nbytes)
			corrupted("template out of range");
		/* a NUL ends the bytes, and so the last template */
		for (; *class; class++)
		{
			if (class - start >= SHAPE_MAX_TOKENS || *class == CLASS_DIGITS)
				corrupted("template out of range");
			if (!CLASS_IS_SLOT(*class))
				continue;
			if (slot >= head->nslots || shape->slots[slot].class != *class)
				corrupted("template without its slots");
			slot++;
		}
	}

	if (text->nprose == 0)
		return;
	if (text->nprose > 255 || text->prose > head->nslots ||
		text->nprose > head->nslots - text->prose)
		corrupted("prose out of range");
	for (uint32 i = 0; i <= text->nprose; i++)
	{
		if (text->chain >= SHAPE_NONE - i)
			corrupted("distribution out of place");
		items = claim(check, text->chain + i, true, &n);
		for (uint32 k = 0; k < n; k++)
			if (items[k].a > text->nprose)
				corrupted("prose out of range");
	}
}

static void
check_numbers(Check *check, const ShapeNode *node)
{
	uint32		n;
	const ShapeItem *items = claim(check, node->atoms, true, &n);
	bool		whole = is_whole(items, n);

	for (uint32 i = 0; i < n; i++)
		if (!isfinite(shape_number(&items[i])))
			corrupted("number out of range");
	items = claim(check, node->knots, true, &n);
	for (uint32 i = 0; i < n; i++)
		if (!isfinite(shape_number(&items[i])))
			corrupted("number out of range");
	if ((n == 0 && !whole) || node->scale > SHAPE_MAX_SCALE)
		corrupted("number out of range");
}

static void
check_child(const Shape *shape, uint8 *depth, uint32 parent, uint32 child)
{
	if (child <= parent || child >= shape->head.nnodes)
		corrupted("node out of place");
	depth[child] = Max(depth[child], depth[parent] + 1);
	if (depth[child] > SHAPE_MAX_DEPTH)
		corrupted("nodes too deep");
}

static void
check_node(Check *check, uint8 *depth, uint32 index)
{
	const Shape *shape = check->shape;
	const ShapeNode *node = &shape->nodes[index];
	bool		has[JSON_NTYPES] = {false};
	uint32		n;
	const ShapeItem *items = claim(check, node->types, true, &n);

	for (uint32 i = 0; i < n; i++)
	{
		if (items[i].a >= JSON_NTYPES || has[items[i].a])
			corrupted("unknown type of value");
		has[items[i].a] = true;
	}
	if (has[JSON_NUMBER])
		check_numbers(check, node);
	if (has[JSON_STRING])
	{
		if (node->text != SHAPE_NONE && node->text >= shape->head.ntexts)
			corrupted("text out of place");
		check_vocabulary(check, node->strings, 0);
	}
	if (has[JSON_ARRAY])
	{
		check_lengths(check, node->lengths, 0, SHAPE_MAX_ELEMENTS);
		check_child(shape, depth, index, node->element);
	}
	if (has[JSON_OBJECT])
	{
		items = claim(check, node->keys, false, &n);
		for (uint32 i = 0; i < n; i++)
		{
			const char *key = shape->bytes + items[i].a;
			size_t		len;

			if (items[i].a >= shape->head.nbytes ||
				(len = strnlen(key, SHAPE_MAX_VERBATIM + 1)) >
				SHAPE_MAX_VERBATIM)
				corrupted("key out of range");
			check_encoding(key, len);
			check_child(shape, depth, index, items[i].b);
		}
	}
}

static void
check_shape(Shape *shape)
{
	const ShapeHeader *head = &shape->head;
	Check		check = {.shape = shape};
	uint8	   *depth = palloc0(SHAPE_MAX_NODES + 1);

	if (shape->dists[0] != 0 || shape->dists[head->ndists] != head->nitems)
		corrupted("distributions out of range");
	for (uint32 d = 0; d < head->ndists; d++)
		if (shape->dists[d] > shape->dists[d + 1] ||
			shape->dists[d + 1] > head->nitems)
			corrupted("distributions out of range");
	if (shape->bytes[head->nbytes - 1] != '\0')
		corrupted("text without an end");

	check.claimed = palloc0(head->ndists + 1);
	for (uint32 i = 0; i < head->nslots; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_slot(&check, &shape->slots[i]);
	}
	for (uint32 i = 0; i < head->ntexts; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_text(&check, &shape->texts[i]);
	}
	for (uint32 i = 0; i < head->nnodes; i++)
		check_node(&check, depth, i);
	pfree(check.claimed);
	pfree(depth);
}

/* The tensors of all columns' shapes, each shape's elements in turn. */
typedef enum ShapeTensor
{
	TENSOR_TEXT,
	TENSOR_SLOT,
	TENSOR_NODE,
	TENSOR_DIST,
	TENSOR_ITEM,
	TENSOR_FILTER,
	TENSOR_BYTES,
	TENSORS
} ShapeTensor;

static const struct
{
	const char *name;
	int			words;			/* of an element; 0: it is a byte */
}			tensor[TENSORS] = {
	{"shape/text", sizeof(ShapeText) / sizeof(uint32)},
	{"shape/slot", sizeof(ShapeSlot) / sizeof(uint32)},
	{"shape/node", sizeof(ShapeNode) / sizeof(uint32)},
	{"shape/dist", 1},
	{"shape/item", sizeof(ShapeItem) / sizeof(uint32)},
	{"shape/filter", 1},
	{"shape/bytes", 0}
};

#define HEAD_WORDS	(1 + sizeof(ShapeHeader) / sizeof(uint32))

/* Where a shape has the elements of a tensor, and how many. */
static void **
place_of(Shape *shape, ShapeTensor t, Size *n)
{
	const ShapeHeader *head = &shape->head;
	const Size	count[TENSORS] = {
		head->ntexts, head->nslots, head->nnodes, (Size) head->ndists + 1,
		head->nitems, head->nfilter, head->nbytes
	};
	void	  **const place[TENSORS] = {
		(void **) &shape->texts, (void **) &shape->slots,
		(void **) &shape->nodes, (void **) &shape->dists,
		(void **) &shape->items, (void **) &shape->filter,
		(void **) &shape->bytes
	};

	*n = count[t];
	return place[t];
}

static Size
element_bytes(ShapeTensor t)
{
	return Max(tensor[t].words * sizeof(uint32), 1);
}

/*
 * gs_shapes_save: appends the tensors of columns' shapes, if any has one.
 *
 * shapes: [ncolumns], NULL where a column has none.
 *
 *	 shape			int4 [N, 14]	column and header of each
 *	 shape/text		int4 [.., 9]	ShapeText, and so on: the elements of all
 *	 shape/slot		int4 [.., 5]	shapes in turn
 *	 shape/node		int4 [.., 11]
 *	 shape/dist		int4 [..]		one more for each shape than it says
 *	 shape/item		int4 [.., 3]
 *	 shape/filter	int4 [..]
 *	 shape/bytes	bytes
 */
void
gs_shapes_save(Shape *const *shapes, int ncolumns, List **tensors)
{
	uint32	   *heads = palloc(sizeof(uint32) * HEAD_WORDS * Max(ncolumns, 1));
	int			n = 0;

	for (int c = 0; c < ncolumns; c++)
	{
		if (shapes[c] == NULL)
			continue;
		heads[n * HEAD_WORDS] = c;
		memcpy(heads + n * HEAD_WORDS + 1, &shapes[c]->head,
			   sizeof(ShapeHeader));
		n++;
	}
	if (n == 0)
		return;
	gs_tensor_add(tensors, "shape", GS_I4, 2, n, HEAD_WORDS, heads);
	for (ShapeTensor t = 0; t < TENSORS; t++)
	{
		StringInfoData all;
		Size		count;

		initStringInfo(&all);
		for (int c = 0; c < ncolumns; c++)
			if (shapes[c] != NULL)
			{
				void	  **place = place_of(shapes[c], t, &count);

				appendBinaryStringInfo(&all, *place, count * element_bytes(t));
			}
		gs_tensor_add(tensors, tensor[t].name,
					  tensor[t].words > 0 ? GS_I4 : GS_U1,
					  tensor[t].words > 1 ? 2 : 1,
					  all.len / element_bytes(t), tensor[t].words, all.data);
		pfree(all.data);
	}
}

/* What is left of a tensor. */
typedef struct Rest
{
	const char *data;
	Size		elements;
} Rest;

static void
open_tensors(const List *tensors, Rest *rest)
{
	for (ShapeTensor t = 0; t < TENSORS; t++)
	{
		int			words = tensor[t].words;
		const GsTensor *found = gs_tensor_get(tensors, tensor[t].name,
											  words > 0 ? GS_I4 : GS_U1,
											  words > 1 ? 2 : 1);

		if (words > 1 && found->dims[1] != words)
			corrupted("size out of range");
		rest[t].data = found->data;
		rest[t].elements = found->dims[0];
	}
}

/* The next shape, of a header; what it takes must be left of the tensors. */
static Shape *
read_shape(const uint32 *words, Rest *rest)
{
	Shape	   *shape = palloc0(sizeof(Shape));
	ShapeHeader *head = &shape->head;

	memcpy(head, words, sizeof(ShapeHeader));
	if (head->encoding != GetDatabaseEncoding())
		corrupted("learned in another server encoding");
	if (head->root > SHAPE_JSON || head->max_chars > PG_INT32_MAX ||
		head->tries < 1 || head->tries > SHAPE_TRIES ||
		head->nnodes > SHAPE_MAX_NODES || head->nbytes < 1 ||
		(head->root == SHAPE_TEXT ? head->ntexts : head->nnodes) < 1)
		corrupted("header out of range");
	for (ShapeTensor t = 0; t < TENSORS; t++)
	{
		Size		n;
		void	  **place = place_of(shape, t, &n);
		Size		bytes = n * element_bytes(t);

		if (n > rest[t].elements)
			corrupted("size out of range");
		*place = palloc_extended(Max(bytes, 1), MCXT_ALLOC_HUGE);
		memcpy(*place, rest[t].data, bytes);
		rest[t].data += bytes;
		rest[t].elements -= n;
	}
	check_shape(shape);
	return shape;
}

/*
 * gs_shapes_load: reads the shapes of columns, in the current context.
 *
 * shapes: [ncolumns], filled, NULL where a column has none.  Errors:
 * data_corrupted on anything that gs_shapes_save does not write, as far as it
 * matters to drawing.
 */
void
gs_shapes_load(const List *tensors, int ncolumns, Shape **shapes)
{
	const GsTensor *heads;
	Rest		rest[TENSORS];

	memset(shapes, 0, sizeof(Shape *) * ncolumns);
	if (gs_tensor_find(tensors, "shape") == NULL)
		return;
	heads = gs_tensor_get(tensors, "shape", GS_I4, 2);
	if (heads->dims[1] != HEAD_WORDS)
		corrupted("size out of range");
	open_tensors(tensors, rest);
	for (int i = 0; i < heads->dims[0]; i++)
	{
		const uint32 *words = (const uint32 *) heads->data + i * HEAD_WORDS;

		if (words[0] >= ncolumns || shapes[words[0]] != NULL)
			corrupted("shape of no column");
		shapes[words[0]] = read_shape(words + 1, rest);
	}
	for (ShapeTensor t = 0; t < TENSORS; t++)
		if (rest[t].elements > 0)
			corrupted("size out of range");
}
