/*
 * format_draw_json.c
 *	  Drawing JSON documents.
 *
 * Values of which something is known, since features tell it, come from the
 * caller; all others are drawn in their node, by themselves.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/json.h"

#include "text/format_internal.h"

/* Bounds of one document, whatever the block says. */
#define MAX_VALUES		200000
#define MAX_DOCUMENT	(64 * 1024 * 1024)

/*
 * Append a string as JSON writes it; a novel one is none that is kept
 * verbatim, if there are others.
 */
static void
draw_string(const GsFormat *format, const FormatNode *node, GsRandom *random,
			bool novel, StringInfo out)
{
	const FormatItem *item = NULL;
	int			start = out->len + 1;

	appendStringInfoCharMacro(out, '"');
	if (!novel || node->text == FORMAT_NONE)
		item = format_pick(format, node->strings, gs_random_u32(random));
	if (item)
		appendBinaryStringInfo(out, format->bytes + item->a, item->b);
	else if (node->text != FORMAT_NONE)
		gs_format_draw_text(format, &format->texts[node->text], NULL, random,
							out);
	for (int i = start; i < out->len; i++)
	{
		unsigned char c = out->data[i];

		if (c < ' ' || c == '"' || c == '\\')
		{
			char	   *raw = pstrdup(out->data + start);

			out->len = start - 1;
			out->data[out->len] = '\0';
			escape_json(out, raw);
			pfree(raw);
			return;
		}
	}
	appendStringInfoCharMacro(out, '"');
}

/* Append a number with so many decimals, or as many as it needs. */
static void
put_number(StringInfo out, double number, uint32 scale, bool fixed)
{
	static const double power[FORMAT_MAX_SCALE + 1] = {
		1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7,
		1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15
	};
	double		scaled = rint(number * power[scale]);
	char		digits[32];
	uint64		value;
	int			n;

	/* no more digits than a double has */
	while (scale > 0 && fabs(scaled) >= 9e15)
	{
		scaled = rint(number * power[--scale]);
		fixed = false;
	}
	if (!(fabs(scaled) < 9e15))
	{
		appendStringInfo(out, "%.17g", number);
		return;
	}
	value = (uint64) fabs(scaled);
	while (!fixed && scale > 0 && value % 10 == 0)
	{
		value /= 10;
		scale--;
	}
	if (scaled < 0)
		appendStringInfoCharMacro(out, '-');
	n = pg_ulltoa_n(value, digits);
	if (n <= scale)
	{
		appendStringInfoString(out, "0.");
		for (int i = n; i < scale; i++)
			appendStringInfoCharMacro(out, '0');
		appendBinaryStringInfo(out, digits, n);
		return;
	}
	appendBinaryStringInfo(out, digits, n - scale);
	if (scale > 0)
	{
		appendStringInfoCharMacro(out, '.');
		appendBinaryStringInfo(out, digits + n - scale, scale);
	}
}

static void
draw_number(const GsFormat *format, const FormatNode *node, GsRandom *random,
			StringInfo out)
{
	const FormatItem *item = format_pick(format, node->atoms,
										 gs_random_u32(random));
	double		number;

	if (item)
		number = format_number(item);
	else
	{
		const FormatItem *knots = format->items + format->dists[node->knots];
		uint32		n = format->dists[node->knots + 1] -
			format->dists[node->knots];
		double		at = gs_random_uniform(random) * (n - 1);
		uint32		low = Min((uint32) at, n - 1);
		uint32		high = Min(low + 1, n - 1);

		at -= low;
		number = format_number(&knots[low]) * (1 - at) +
			format_number(&knots[high]) * at;
	}
	put_number(out, number, node->scale, node->fixed != 0);
}

/* Drawing a document. */
typedef struct Drawing
{
	const GsFormat *format;
	const GsLeaves *leaves;		/* NULL: nothing is known */
	GsRandom   *random;
	StringInfo	out;
	int			start;
	int			left;			/* values that it may still have */
} Drawing;

static void draw_any(Drawing *drawing, uint32 node);
static void draw_laid_out(Drawing *drawing, uint32 node, const char **at);

/* What is known of a place; of any type, or of one. */
static GsLeaf
known_leaf(Drawing *drawing, uint32 place, int type)
{
	if (drawing->leaves == NULL)
		return GS_LEAF_UNKNOWN;
	return drawing->leaves->put(drawing->leaves->arg, place, type,
								drawing->out);
}

static inline bool
is_full(const Drawing *drawing)
{
	return drawing->left <= 0 ||
		drawing->out->len - drawing->start > MAX_DOCUMENT;
}

static void
draw_array(Drawing *drawing, const FormatNode *node, uint32 n)
{
	StringInfo	out = drawing->out;
	const GsLeaves *leaves = drawing->leaves;

	appendStringInfoCharMacro(out, '[');
	for (uint32 i = 0; i < n && !is_full(drawing); i++)
	{
		GsLeaf		leaf = GS_LEAF_UNKNOWN;

		if (i > 0)
			appendStringInfoString(out, ", ");
		if (n < GS_POSITIONS)
			leaf = known_leaf(drawing, GS_PLACE(node->element, i + 1), -1);
		/* of what stands in elements nothing is known */
		drawing->leaves = NULL;
		if (leaf == GS_LEAF_NOVEL)
			draw_string(drawing->format, &drawing->format->nodes[node->element],
						drawing->random, true, out);
		else if (leaf != GS_LEAF_PUT)
			draw_any(drawing, node->element);
		drawing->leaves = leaves;
	}
	appendStringInfoCharMacro(out, ']');
}

static uint32
draw_length(Drawing *drawing, const FormatNode *node)
{
	const FormatItem *item = format_pick(drawing->format, node->lengths,
									   gs_random_u32(drawing->random));

	return item ? item->a : 0;
}

static void
put_key(Drawing *drawing, const FormatItem *item, bool first)
{
	if (!first)
		appendStringInfoString(drawing->out, ", ");
	escape_json(drawing->out, drawing->format->bytes + item->a);
	appendStringInfoString(drawing->out, ": ");
}

/* An object with a set of keys. */
static void
draw_set(Drawing *drawing, uint32 index, const char *set)
{
	const GsFormat *format = drawing->format;
	uint32		item = format->dists[format->nodes[index].keys];

	appendStringInfoCharMacro(drawing->out, '{');
	for (bool first = true; !is_full(drawing) &&
		 gs_format_next_member(format, index, &set, &item); first = false)
	{
		put_key(drawing, &format->items[item], first);
		draw_any(drawing, format->items[item].b);
		item++;
		set += *set == ' ';
	}
	appendStringInfoCharMacro(drawing->out, '}');
}

/*
 * An object of which no layout is known: a set of keys, or, where there is
 * none or features tell of them, each with its share.
 */
static void
draw_members(Drawing *drawing, uint32 index)
{
	const FormatNode *node = &drawing->format->nodes[index];
	const FormatItem *set = drawing->leaves != NULL ? NULL :
		format_pick(drawing->format, node->sets,
					gs_random_u32(drawing->random));
	const GsFormat *format = drawing->format;
	StringInfo	out = drawing->out;
	bool		first = true;

	if (set != NULL)
	{
		draw_set(drawing, index, format->bytes + set->a);
		return;
	}
	appendStringInfoCharMacro(out, '{');
	for (uint32 i = format->dists[node->keys];
		 i < format->dists[node->keys + 1] && !is_full(drawing); i++)
	{
		const FormatItem *item = &format->items[i];
		int			before = out->len;
		GsLeaf		leaf;

		put_key(drawing, item, first);
		leaf = known_leaf(drawing, GS_PLACE(item->b, 0), -1);
		if (leaf == GS_LEAF_NOVEL)
			draw_string(format, &format->nodes[item->b], drawing->random, true,
						out);
		else if (leaf == GS_LEAF_ABSENT ||
				 (leaf == GS_LEAF_UNKNOWN && item->cum != FORMAT_ALL &&
				  gs_random_u32(drawing->random) > item->cum))
		{
			out->len = before;
			out->data[before] = '\0';
			continue;
		}
		else if (leaf == GS_LEAF_UNKNOWN)
			draw_any(drawing, item->b);
		first = false;
	}
	appendStringInfoCharMacro(out, '}');
}

/* A value that is no object, of a type, and of an array of a length. */
static void
draw_typed(Drawing *drawing, const FormatNode *node, JsonType type, int length)
{
	StringInfo	out = drawing->out;

	switch (type)
	{
		case JSON_BOOL:
			appendStringInfoString(out, gs_random_u32(drawing->random) <
								   node->truth ? "true" : "false");
			break;
		case JSON_NUMBER:
			draw_number(drawing->format, node, drawing->random, out);
			break;
		case JSON_STRING:
			draw_string(drawing->format, node, drawing->random, false, out);
			break;
		case JSON_ARRAY:
			draw_array(drawing, node, length < 0 ? draw_length(drawing, node) :
					   length);
			break;
		default:
			appendStringInfoString(out, "null");
			break;
	}
}

static void
draw_any(Drawing *drawing, uint32 index)
{
	const FormatNode *node = &drawing->format->nodes[index];
	const FormatItem *item = format_pick(drawing->format, node->types,
									   gs_random_u32(drawing->random));

	CHECK_FOR_INTERRUPTS();
	drawing->left--;
	if (item != NULL && item->a == JSON_OBJECT)
		draw_members(drawing, index);
	else
		draw_typed(drawing, node, item ? item->a : JSON_NULL, -1);
}

/* A value of the layout at *at, which has been checked. */
static void
draw_laid_out(Drawing *drawing, uint32 index, const char **at)
{
	const GsFormat *format = drawing->format;
	const FormatNode *node = &format->nodes[index];
	int			length = -1;
	JsonType	type = gs_format_next_type(at, &length);
	uint32		item;

	CHECK_FOR_INTERRUPTS();
	drawing->left--;
	if (type != JSON_OBJECT)
	{
		GsLeaf		leaf = known_leaf(drawing, GS_PLACE(index, 0), type);

		if (leaf == GS_LEAF_NOVEL)
			draw_string(format, node, drawing->random, true, drawing->out);
		else if (leaf != GS_LEAF_PUT)
			draw_typed(drawing, node, type, length);
		return;
	}
	appendStringInfoCharMacro(drawing->out, '{');
	item = format->dists[node->keys];
	for (bool first = true; gs_format_next_member(format, index, at, &item);
		 first = false)
	{
		put_key(drawing, &format->items[item], first);
		draw_laid_out(drawing, format->items[item].b, at);
		item++;
	}
	(*at)++;
	appendStringInfoCharMacro(drawing->out, '}');
}

/*
 * gs_format_draw_json: appends a document as jsonb writes it, a rare source
 * document or not.
 *
 * layout: that it is to have, checked by gs_format_is_layout, or NULL: drawn
 * too; leaves: what is known of its values, or NULL.
 */
void
gs_format_draw_json(const GsFormat *format, const char *layout,
				   const GsLeaves *leaves, GsRandom *random, StringInfo out)
{
	Drawing		drawing = {.format = format,.leaves = leaves,.random = random,
	.out = out,.start = out->len,.left = MAX_VALUES};

	if (layout == NULL)
		draw_any(&drawing, 0);
	else
		draw_laid_out(&drawing, 0, &layout);
}
