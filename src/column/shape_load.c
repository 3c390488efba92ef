/*
 * shape_load.c
 *	  Taking in the bytes of a shape, which may be anything.
 *
 * All that drawing relies on is checked here, once.  Every distribution,
 * slot and letter chain may be claimed by one owner only, which keeps the
 * check linear in the block's size whatever the block says, and no node may
 * lead back to an earlier one.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "column/shape_internal.h"

#define MAX_PARTS	(1 << 22)	/* of a kind: far more than are ever built */

typedef struct Check
{
	Shape	   *shape;
	bool	   *claimed;		/* per distribution */
} Check;

static void
corrupted(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored format model is damaged: %s", what),
			 errhint("Fit the model again.")));
}

/* Claim a distribution; returns its items and their number. */
static const ShapeItem *
claim(Check *check, uint32 dist, bool ordered, uint32 *n)
{
	const Shape *shape = check->shape;
	const ShapeItem *items;

	if (dist >= shape->head->ndists || check->claimed[dist])
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
			items[i].a >= check->shape->head->nbytes ||
			items[i].b > check->shape->head->nbytes - items[i].a)
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
		pairs + text->npairs > shape->head->ndists)
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
	const ShapeHeader *head = shape->head;
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
	if (child <= parent || child >= shape->head->nnodes)
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
		if (node->text != SHAPE_NONE && node->text >= shape->head->ntexts)
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

			if (items[i].a >= shape->head->nbytes ||
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
	const ShapeHeader *head = shape->head;
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

/*
 * Read a stored shape, into the current memory context.  Errors with
 * ERRCODE_DATA_CORRUPTED on anything that gs_shape_serialize does not write,
 * as far as it matters to drawing.
 */
Shape *
gs_shape_load(const char *data, Size len)
{
	Shape	   *shape;
	ShapeHeader *head;

	if (len < sizeof(ShapeHeader) + sizeof(uint32) || len > MaxAllocSize ||
		len % sizeof(uint32) != 0)
		corrupted("size out of range");
	shape = palloc(sizeof(Shape));
	shape->size = len;
	shape->head = head = palloc(len);
	memcpy(head, data, len);
	gs_shape_flip(shape, false);

	if (head->magic != SHAPE_MAGIC)
		corrupted("not a format model");
	if (head->version != SHAPE_VERSION)
		corrupted("unknown version");
	if (head->encoding != GetDatabaseEncoding())
		corrupted("learned in another server encoding");
	if (head->ntexts > MAX_PARTS || head->nslots > MAX_PARTS ||
		head->nnodes > SHAPE_MAX_NODES || head->ndists > MAX_PARTS ||
		head->nitems > MAX_PARTS || head->nbytes > MaxAllocSize ||
		head->nbytes < 4 || head->nbytes % 4 != 0 ||
		gs_shape_layout(shape) != len)
		corrupted("size out of range");
	if (head->root > SHAPE_JSON || head->max_chars > PG_INT32_MAX ||
		head->tries < 1 || head->tries > SHAPE_TRIES ||
		(head->root == SHAPE_TEXT ? head->ntexts : head->nnodes) < 1)
		corrupted("header out of range");
	check_shape(shape);
	return shape;
}
