/*
 * format_store.c
 *	  Formats as tensors; those that are read may hold anything.
 *
 * All that drawing relies on is checked here, once.  Every distribution,
 * slot and letter chain may be claimed by one owner only, which keeps the
 * check linear in the format's size whatever it says, and no node may
 * lead back to an earlier one.
 */
#include "postgres.h"

#include <math.h>

#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "column/tensor.h"
#include "text/format_internal.h"

typedef struct Check
{
	GsFormat   *format;
	bool	   *claimed;		/* per distribution */
} Check;

static void
corrupted(const char *what)
{
	gs_corrupted("What a column generates is damaged: %s.", what);
}

/* Claim a distribution; returns its items and their number. */
static const FormatItem *
claim(Check *check, uint32 dist, bool ordered, uint32 *n)
{
	const GsFormat *format = check->format;
	const FormatItem *items;

	if (dist >= format->head.ndists || check->claimed[dist])
		corrupted("distribution out of place");
	check->claimed[dist] = true;
	items = format->items + format->dists[dist];
	*n = format->dists[dist + 1] - format->dists[dist];
	for (uint32 i = 1; i < *n && ordered; i++)
		if (items[i].cum < items[i - 1].cum)
			corrupted("shares out of order");
	return items;
}

/* Whether nothing else is left. */
static bool
is_composite(const FormatItem *items, uint32 n)
{
	return n > 0 && items[n - 1].cum == FORMAT_ALL;
}

static void
check_encoding(const char *text, uint32 len)
{
	if (!pg_verify_mbstr(GetDatabaseEncoding(), text, len, true))
		corrupted("text is not in the server encoding");
}

/* Verbatim tokens; returns whether they are all there is. */
static bool
check_vocabulary(Check *check, uint32 dist, uint32 min)
{
	uint32		n;
	const FormatItem *items = claim(check, dist, true, &n);

	for (uint32 i = 0; i < n; i++)
	{
		if (items[i].b < min || items[i].b > FORMAT_MAX_VERBATIM ||
			items[i].a >= check->format->head.nbytes ||
			items[i].b > check->format->head.nbytes - items[i].a)
			corrupted("token out of range");
		check_encoding(check->format->bytes + items[i].a, items[i].b);
	}
	return is_composite(items, n);
}

static void
check_lengths(Check *check, uint32 dist, uint32 min, uint32 max)
{
	uint32		n;
	const FormatItem *items = claim(check, dist, true, &n);

	for (uint32 i = 0; i < n; i++)
		if (items[i].a < min || items[i].a > max)
			corrupted("length out of range");
}

static void
check_slot(Check *check, const FormatSlot *slot)
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
		slot->rest == FORMAT_NONE)
		corrupted("slot without tokens");
	if (slot->rest == FORMAT_NONE)
		return;
	if (CLASS_IS_WORD(slot->class))
	{
		check_lengths(check, slot->rest, 1, FORMAT_MAX_WORD);
		return;
	}
	for (uint32 i = 0; i < CLASS_LENGTH(slot->class); i++)
	{
		uint32		n;
		const FormatItem *items;

		if (slot->rest >= FORMAT_NONE - i)
			corrupted("distribution out of place");
		items = claim(check, slot->rest + i, true, &n);
		if (!is_composite(items, n))
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
check_letters(Check *check, const FormatText *text)
{
	const GsFormat *format = check->format;
	uint64		pairs = (uint64) text->alphabet + 1 + text->nsymbols;
	uint32		n;
	const FormatItem *items = claim(check, text->alphabet, true, &n);

	if (n != text->nsymbols || n == 0 || n > FORMAT_MAX_SYMBOLS ||
		pairs + text->npairs > format->head.ndists)
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
				(items[i].b != FORMAT_NONE &&
				 (items[i].b < pairs || items[i].b - pairs >= text->npairs)))
				corrupted("letter out of range");
	}
}

static void
check_text(Check *check, const FormatText *text)
{
	const GsFormat *format = check->format;
	const FormatHeader *head = &format->head;
	uint32		n;
	const FormatItem *items;

	if (text->tries < 1 || text->tries > FORMAT_TRIES)
		corrupted("number of tries out of range");
	if (text->check >= GS_CHECK_COUNT)
		corrupted("unknown check digit");
	check_letters(check, text);
	check_lengths(check, text->lengths, 0, FORMAT_MAX_LENGTH);

	items = claim(check, text->templates, true, &n);
	if (n > FORMAT_MAX_TEMPLATES)
		corrupted("too many templates");
	for (uint32 i = 0; i < n; i++)
	{
		const uint8 *class = (uint8 *) format->bytes + items[i].a;
		const uint8 *start = class;
		uint32		slot = items[i].b;

		if (items[i].a >= head->nbytes)
			corrupted("template out of range");
		/* a NUL ends the bytes, and so the last template */
		for (; *class; class++)
		{
			if (class - start >= FORMAT_MAX_TOKENS || *class == CLASS_DIGITS)
				corrupted("template out of range");
			if (!CLASS_IS_SLOT(*class))
				continue;
			if (slot >= head->nslots || format->slots[slot].class != *class)
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
		if (text->chain >= FORMAT_NONE - i)
			corrupted("distribution out of place");
		items = claim(check, text->chain + i, true, &n);
		for (uint32 k = 0; k < n; k++)
			if (items[k].a > text->nprose)
				corrupted("prose out of range");
	}
}

static void
check_numbers(Check *check, const FormatNode *node)
{
	uint32		n;
	const FormatItem *items = claim(check, node->atoms, true, &n);
	bool		whole = is_composite(items, n);

	for (uint32 i = 0; i < n; i++)
		if (!isfinite(format_number(&items[i])))
			corrupted("number out of range");
	items = claim(check, node->knots, true, &n);
	for (uint32 i = 0; i < n; i++)
		if (!isfinite(format_number(&items[i])))
			corrupted("number out of range");
	if ((n == 0 && !whole) || node->scale > FORMAT_MAX_SCALE)
		corrupted("number out of range");
}

static void
check_child(const GsFormat *format, uint8 *depth, uint32 parent, uint32 child)
{
	if (child <= parent || child >= format->head.nnodes)
		corrupted("node out of place");
	depth[child] = Max(depth[child], depth[parent] + 1);
	if (depth[child] > FORMAT_MAX_DEPTH)
		corrupted("nodes too deep");
}

static void
check_node(Check *check, uint8 *depth, uint32 index)
{
	const GsFormat *format = check->format;
	const FormatNode *node = &format->nodes[index];
	bool		has[JSON_NTYPES] = {false};
	uint32		n;
	const FormatItem *items = claim(check, node->types, true, &n);

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
		if (node->text != FORMAT_NONE && node->text >= format->head.ntexts)
			corrupted("text out of place");
		check_vocabulary(check, node->strings, 0);
	}
	if (has[JSON_ARRAY])
	{
		check_lengths(check, node->lengths, 0, FORMAT_MAX_ELEMENTS);
		check_child(format, depth, index, node->element);
	}
	if (has[JSON_OBJECT])
	{
		items = claim(check, node->keys, false, &n);
		for (uint32 i = 0; i < n; i++)
		{
			const char *key = format->bytes + items[i].a;
			size_t		len = 0;

			if (items[i].a < format->head.nbytes)
				len = strnlen(key, FORMAT_MAX_VERBATIM + 1);
			if (items[i].a >= format->head.nbytes || len > FORMAT_MAX_VERBATIM)
				corrupted("key out of range");
			check_encoding(key, len);
			check_child(format, depth, index, items[i].b);
		}
		check_vocabulary(check, node->sets, 0);
	}
}

static void
check_shape(GsFormat *format)
{
	const FormatHeader *head = &format->head;
	Check		check = {.format = format};
	uint8	   *depth = palloc0(FORMAT_MAX_NODES + 1);

	if (format->dists[0] != 0 || format->dists[head->ndists] != head->nitems)
		corrupted("distributions out of range");
	for (uint32 d = 0; d < head->ndists; d++)
		if (format->dists[d] > format->dists[d + 1] ||
			format->dists[d + 1] > head->nitems)
			corrupted("distributions out of range");
	if (format->bytes[head->nbytes - 1] != '\0')
		corrupted("text without an end");

	check.claimed = palloc0(head->ndists + 1);
	for (uint32 i = 0; i < head->nslots; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_slot(&check, &format->slots[i]);
	}
	for (uint32 i = 0; i < head->ntexts; i++)
	{
		CHECK_FOR_INTERRUPTS();
		check_text(&check, &format->texts[i]);
	}
	for (uint32 i = 0; i < head->nnodes; i++)
		check_node(&check, depth, i);
	pfree(check.claimed);
	pfree(depth);
}

/* The tensors of all columns' formats, each format's elements in turn. */
typedef enum FormatTensor
{
	TENSOR_TEXT,
	TENSOR_SLOT,
	TENSOR_NODE,
	TENSOR_DIST,
	TENSOR_ITEM,
	TENSOR_FILTER,
	TENSOR_BYTES,
	TENSORS
} FormatTensor;

static const struct
{
	const char *name;
	int			words;			/* of an element; 0: it is a byte */
}			tensor[TENSORS] = {
	{"format/text", sizeof(FormatText) / sizeof(uint32)},
	{"format/slot", sizeof(FormatSlot) / sizeof(uint32)},
	{"format/node", sizeof(FormatNode) / sizeof(uint32)},
	{"format/dist", 1},
	{"format/item", sizeof(FormatItem) / sizeof(uint32)},
	{"format/filter", 1},
	{"format/bytes", 0}
};

#define HEAD_WORDS	(1 + sizeof(FormatHeader) / sizeof(uint32))

/* Where a format has the elements of a tensor, and how many. */
static void **
position_of(GsFormat *format, FormatTensor t, Size *n)
{
	const FormatHeader *head = &format->head;
	const Size	count[TENSORS] = {
		head->ntexts, head->nslots, head->nnodes, (Size) head->ndists + 1,
		head->nitems, head->nfilter, head->nbytes
	};
	void	  **const position[TENSORS] = {
		(void **) &format->texts, (void **) &format->slots,
		(void **) &format->nodes, (void **) &format->dists,
		(void **) &format->items, (void **) &format->filter,
		(void **) &format->bytes
	};

	*n = count[t];
	return position[t];
}

static Size
element_bytes(FormatTensor t)
{
	return Max(tensor[t].words * sizeof(uint32), 1);
}

/*
 * gs_formats_save: appends the tensors of columns' formats, if any has one.
 *
 * formats: [ncolumns], NULL where a column has none.
 *
 *	 format			int4 [N, 14]	column and header of each
 *	 format/text		int4 [.., 10]	FormatText, and so on: the elements of all
 *	 format/slot		int4 [.., 5]	formats in turn
 *	 format/node		int4 [.., 12]
 *	 format/dist		int4 [..]		one more for each format than it says
 *	 format/item		int4 [.., 3]
 *	 format/filter	int4 [..]
 *	 format/bytes	bytes
 */
void
gs_formats_save(GsFormat *const *formats, int ncolumns, List **tensors)
{
	uint32	   *heads = palloc(sizeof(uint32) * HEAD_WORDS * Max(ncolumns, 1));
	int			n = 0;

	for (int c = 0; c < ncolumns; c++)
	{
		if (formats[c] == NULL)
			continue;
		heads[n * HEAD_WORDS] = c;
		memcpy(heads + n * HEAD_WORDS + 1, &formats[c]->head,
			   sizeof(FormatHeader));
		n++;
	}
	if (n == 0)
		return;
	gs_tensor_add(tensors, "format", GS_I4, 2, n, HEAD_WORDS, heads);
	for (FormatTensor t = 0; t < TENSORS; t++)
	{
		StringInfoData all;
		Size		count;

		initStringInfo(&all);
		for (int c = 0; c < ncolumns; c++)
			if (formats[c] != NULL)
			{
				void	  **position = position_of(formats[c], t, &count);

				appendBinaryStringInfo(&all, *position, count *
									   element_bytes(t));
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
	for (FormatTensor t = 0; t < TENSORS; t++)
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

/* The next format, of a header; what it takes must be left of the tensors. */
static GsFormat *
read_format(const uint32 *words, Rest *rest)
{
	GsFormat   *format = palloc0(sizeof(GsFormat));
	FormatHeader *head = &format->head;

	memcpy(head, words, sizeof(FormatHeader));
	if (head->encoding != GetDatabaseEncoding())
		corrupted("learned in another server encoding");
	if (head->root > FORMAT_JSON || head->max_chars > PG_INT32_MAX ||
		head->tries < 1 || head->tries > FORMAT_TRIES ||
		head->nnodes > FORMAT_MAX_NODES || head->nbytes < 1 ||
		(head->root == FORMAT_TEXT ? head->ntexts : head->nnodes) < 1)
		corrupted("header out of range");
	for (FormatTensor t = 0; t < TENSORS; t++)
	{
		Size		n;
		void	  **position = position_of(format, t, &n);
		Size		bytes = n * element_bytes(t);

		if (n > rest[t].elements)
			corrupted("size out of range");
		*position = palloc_extended(Max(bytes, 1), MCXT_ALLOC_HUGE);
		memcpy(*position, rest[t].data, bytes);
		rest[t].data += bytes;
		rest[t].elements -= n;
	}
	check_shape(format);
	return format;
}

/*
 * gs_formats_load: reads the formats of columns, in the current context.
 *
 * formats: [ncolumns], filled, NULL where a column has none.  Errors:
 * data_corrupted on anything that gs_formats_save does not write, as far as it
 * matters to drawing.
 */
void
gs_formats_load(const List *tensors, int ncolumns, GsFormat **formats)
{
	const GsTensor *heads;
	Rest		rest[TENSORS];

	memset(formats, 0, sizeof(GsFormat *) * ncolumns);
	if (gs_tensor_find(tensors, "format") == NULL)
		return;
	heads = gs_tensor_get(tensors, "format", GS_I4, 2);
	if (heads->dims[1] != HEAD_WORDS)
		corrupted("size out of range");
	open_tensors(tensors, rest);
	for (int i = 0; i < heads->dims[0]; i++)
	{
		const uint32 *words = (const uint32 *) heads->data + i * HEAD_WORDS;

		if (words[0] >= ncolumns || formats[words[0]] != NULL)
			corrupted("format of no column");
		formats[words[0]] = read_format(words + 1, rest);
	}
	for (FormatTensor t = 0; t < TENSORS; t++)
		if (rest[t].elements > 0)
			corrupted("size out of range");
}
