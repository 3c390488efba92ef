/*
 * format_layout.c
 *	  Layouts of JSON documents: which keys stand together, values of which
 *	  type they have, and how long arrays are.
 *
 * A layout is a text, so that it can be a level of a category:
 *
 *	 value		n, b, # or s (null, boolean, number, string), [length] or
 *				{members}
 *	 member		the number of its node, and a value; in the order of nodes
 *
 * Of an array whose length is left open, there is none.  Elements are no part
 * of a layout, and neither are keys without a node, which are rare.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/jsonb.h"

#include "text/format_internal.h"

static const char scalar[] = {
	[JSON_NULL] = 'n', [JSON_BOOL] = 'b', [JSON_NUMBER] = '#',
	[JSON_STRING] = 's'
};

/*
 * gs_format_json_type: the type of a value.
 */
JsonType
gs_format_json_type(const JsonbValue *value)
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

/*
 * gs_format_json_root: a document as a value.
 */
void
gs_format_json_root(Jsonb *document, JsonbValue *value)
{
	if (JB_ROOT_IS_SCALAR(document) &&
		JsonbExtractScalar(&document->root, value))
		return;
	value->type = jbvBinary;
	value->val.binary.data = &document->root;
	value->val.binary.len = VARSIZE(document) - VARHDRSZ;
}

/*
 * gs_format_has_type: whether values of a node may be of a type; a text's are
 * texts.
 */
bool
gs_format_has_type(const GsFormat *format, uint32 node, JsonType type)
{
	uint32		types;

	if (format->head.root == FORMAT_TEXT)
		return type == JSON_STRING;
	types = format->nodes[node].types;
	for (uint32 i = format->dists[types]; i < format->dists[types + 1]; i++)
		if (format->items[i].a == type)
			return true;
	return false;
}

/* Reading a document. */
typedef struct Reading
{
	const GsFormat *format;
	StringInfo	layout;
	bool		open;			/* arrays' lengths are left open */
	GsDocumentVisit visit;
	void	   *arg;
} Reading;

static bool read_value(Reading *reading, uint32 node, JsonbValue *value);

static bool
read_members(Reading *reading, uint32 node, JsonbContainer *object)
{
	const GsFormat *format = reading->format;
	uint32		keys = format->nodes[node].keys;
	const FormatItem *item = format->items + format->dists[keys];
	const FormatItem *end = format->items + format->dists[keys + 1];
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbIteratorToken token;
	JsonbValue	value;
	const FormatItem *member = NULL;
	bool		known = true;

	/* both are in jsonb's order: the shorter keys first */
	while ((token = JsonbIteratorNext(&it, &value, true)) != WJB_DONE)
	{
		if (token == WJB_VALUE && member != NULL)
		{
			appendStringInfo(reading->layout, "%u", member->b);
			known &= read_value(reading, member->b, &value);
		}
		else if (token == WJB_KEY)
		{
			const char *key = value.val.string.val;
			int			len = value.val.string.len;

			member = NULL;
			for (; item < end; item++)
			{
				const char *own = format->bytes + item->a;
				int			own_len = strlen(own);
				int			order = own_len != len ? own_len - len :
					memcmp(own, key, len);

				if (order == 0)
					member = item;
				if (order >= 0)
					break;
			}
		}
	}
	return known;
}

/* The elements of a short array. */
static void
read_elements(Reading *reading, uint32 node, JsonbContainer *array)
{
	uint32		element = reading->format->nodes[node].element;
	int			n = JsonContainerSize(array);

	for (int i = 0; i < n && n < GS_POSITIONS; i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);

		if (value->type != jbvBinary &&
			gs_format_has_type(reading->format, element,
							   gs_format_json_type(value)))
			reading->visit(reading->arg, GS_PLACE(element, i + 1), value);
		pfree(value);
	}
}

static bool
read_value(Reading *reading, uint32 node, JsonbValue *value)
{
	JsonType	type = gs_format_json_type(value);
	StringInfo	layout = reading->layout;
	bool		known = true;

	check_stack_depth();
	if (!gs_format_has_type(reading->format, node, type))
		return false;
	switch (type)
	{
		case JSON_OBJECT:
			appendStringInfoCharMacro(layout, '{');
			known = read_members(reading, node, value->val.binary.data);
			appendStringInfoCharMacro(layout, '}');
			return known;
		case JSON_ARRAY:
			if (reading->open)
				appendStringInfoString(layout, "[]");
			else
				appendStringInfo(layout, "[%u]",
								 Min(JsonContainerSize(value->val.binary.data),
									 FORMAT_MAX_ELEMENTS));
			break;
		default:
			appendStringInfoCharMacro(layout, scalar[type]);
			break;
	}
	if (reading->visit == NULL)
		return true;
	if (type == JSON_ARRAY)
		read_elements(reading, node, value->val.binary.data);
	else
		reading->visit(reading->arg, GS_PLACE(node, 0), value);
	return true;
}

/*
 * gs_format_places: how many places the nodes of a format have, or the slots
 * of texts.
 */
uint32
gs_format_places(const GsFormat *format)
{
	if (format->head.root == FORMAT_TEXT)
		return gs_format_slots(format, gs_format_common(format));
	return format->head.nnodes * GS_POSITIONS;
}

/*
 * gs_format_read: appends a document's layout.
 *
 * open: whether lengths of arrays are left open; visit: called with every
 * boolean, number, string and null that has a place, or NULL.  Returns false
 * if a value is of a type that too few others in its node have, and so the
 * layout is none.
 */
bool
gs_format_read(const GsFormat *format, Jsonb *document, bool open,
			  StringInfo layout, GsDocumentVisit visit, void *arg)
{
	Reading		reading = {.format = format,.layout = layout,.open = open,
	.visit = visit,.arg = arg};
	JsonbValue	root;

	gs_format_json_root(document, &root);
	return read_value(&reading, 0, &root);
}

static uint32
read_number(const char **at)
{
	uint64		number = 0;

	while (**at >= '0' && **at <= '9' && number <= PG_INT32_MAX)
		number = number * 10 + (*(*at)++ - '0');
	return (uint32) Min(number, PG_UINT32_MAX);
}

/*
 * gs_format_next_member: reads the node of the next member of an object's
 * layout, moving *at beyond it.  *item, of the object's keys, goes on to that
 * of the member.  Returns false at the end of the object, or if no key has
 * such a node.
 */
bool
gs_format_next_member(const GsFormat *format, uint32 node, const char **at,
					 uint32 *item)
{
	uint32		end = format->dists[format->nodes[node].keys + 1];
	uint32		child;

	if (**at < '0' || **at > '9')
		return false;
	child = read_number(at);
	while (*item < end && format->items[*item].b != child)
		(*item)++;
	return *item < end;
}

/*
 * gs_format_next_type: reads what a layout says next: a type, and of an array
 * its length, -1 where it is open.  Returns JSON_NTYPES if it says nothing.
 */
JsonType
gs_format_next_type(const char **at, int *length)
{
	char		c = **at;

	if (c == '\0')
		return JSON_NTYPES;
	(*at)++;
	if (c == '{')
		return JSON_OBJECT;
	if (c == '[')
	{
		*length = **at == ']' ? -1 : (int) read_number(at);
		if (**at != ']')
			return JSON_NTYPES;
		(*at)++;
		return JSON_ARRAY;
	}
	for (int type = 0; type < lengthof(scalar); type++)
		if (scalar[type] == c)
			return type;
	return JSON_NTYPES;
}

static bool
check_value(const GsFormat *format, uint32 node, const char **at)
{
	int			length = 0;
	JsonType	type = gs_format_next_type(at, &length);
	uint32		item;

	check_stack_depth();
	if (type == JSON_NTYPES || !gs_format_has_type(format, node, type) ||
		length > FORMAT_MAX_ELEMENTS)
		return false;
	if (type != JSON_OBJECT)
		return true;
	item = format->dists[format->nodes[node].keys];
	while (gs_format_next_member(format, node, at, &item))
	{
		if (!check_value(format, format->items[item].b, at))
			return false;
		item++;
	}
	if (**at != '}')
		return false;
	(*at)++;
	return true;
}

/*
 * gs_format_is_layout: whether a text is the layout of documents of a format.
 */
bool
gs_format_is_layout(const GsFormat *format, const char *layout)
{
	return format->head.root == FORMAT_JSON &&
		check_value(format, 0, &layout) && *layout == '\0';
}

/*
 * gs_format_path: appends what leads to a place: keys, each after a dot, and
 * the position in an array, or the number of a slot.
 */
void
gs_format_path(const GsFormat *format, uint32 place, StringInfo out)
{
	uint32		node = place / GS_POSITIONS;
	uint32		position = place % GS_POSITIONS;

	if (format->head.root == FORMAT_TEXT)
		appendStringInfo(out, "[%u]", place);
	for (uint32 parent = 0; parent < node && format->head.root == FORMAT_JSON;
		 parent++)
	{
		uint32		keys = format->nodes[parent].keys;

		if (position > 0 &&
			gs_format_has_type(format, parent, JSON_ARRAY) &&
			format->nodes[parent].element == node)
		{
			gs_format_path(format, GS_PLACE(parent, 0), out);
			appendStringInfo(out, "[%u]", position - 1);
			return;
		}
		if (position > 0 || !gs_format_has_type(format, parent, JSON_OBJECT))
			continue;
		for (uint32 i = format->dists[keys]; i < format->dists[keys + 1]; i++)
			if (format->items[i].b == node)
			{
				gs_format_path(format, GS_PLACE(parent, 0), out);
				appendStringInfo(out, ".%s",
								 format->bytes + format->items[i].a);
				return;
			}
	}
}
