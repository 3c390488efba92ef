/*
 * json.c
 *	  SQL arrays as JSON, and back, so that one generator serves both.
 */
#include "postgres.h"

#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "column/json.h"

/*
 * gs_tojsonb_init: looks up to_jsonb(anyelement) for values of a type.
 */
void
gs_tojsonb_init(FmgrInfo *function, Oid type, MemoryContext context)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	Node	   *argument = (Node *) makeNullConst(type, -1, InvalidOid);
	Node	   *call = (Node *) makeFuncExpr(F_TO_JSONB, JSONBOID,
											 list_make1(argument), InvalidOid,
											 InvalidOid, COERCE_EXPLICIT_CALL);

	fmgr_info_cxt(F_TO_JSONB, function, context);
	fmgr_info_set_expr(call, function);
	MemoryContextSwitchTo(old);
}

/*
 * gs_array_to_json: an array's JSON text, allocated in the current context.
 */
char *
gs_array_to_json(GsCodec *codec, Datum array)
{
	if (!OidIsValid(codec->tojson.fn_oid))
		gs_tojsonb_init(&codec->tojson, codec->type, codec->input.fn_mcxt);
	return DatumGetCString(DirectFunctionCall1(jsonb_out,
											   FunctionCall1(&codec->tojson,
															 array)));
}

static void
append_quoted(StringInfo out, const char *text)
{
	appendStringInfoChar(out, '"');
	for (; *text; text++)
	{
		if (*text == '"' || *text == '\\')
			appendStringInfoChar(out, '\\');
		appendStringInfoChar(out, *text);
	}
	appendStringInfoChar(out, '"');
}

static char *
scalar_text(const JsonbValue *value)
{
	switch (value->type)
	{
		case jbvString:
			return pnstrdup(value->val.string.val, value->val.string.len);
		case jbvNumeric:
			return DatumGetCString(DirectFunctionCall1(numeric_out,
													   NumericGetDatum(value->val.numeric)));
		case jbvBool:
			return pstrdup(value->val.boolean ? "t" : "f");
		case jbvBinary:
			return JsonbToCString(NULL, value->val.binary.data,
								  value->val.binary.len);
		default:
			return NULL;
	}
}

static inline bool
is_array(const JsonbValue *value)
{
	return value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data);
}

/*
 * An array at a depth.  SQL arrays are rectangular: the first array seen at a
 * depth sets the length of all others there, which are cut or filled up with
 * NULL.
 */
static void
append_array(StringInfo out, JsonbContainer *array, int *length, int depth)
{
	int			n = JsonContainerSize(array);
	bool		nested = false;

	if (depth > 0 && length[depth] == 0)
		length[depth] = Max(n, 1);
	else if (depth == 0)
		length[depth] = n;
	appendStringInfoChar(out, '{');
	for (int i = 0; i < length[depth]; i++)
	{
		JsonbValue *value = i < n ? getIthJsonbValueFromContainer(array, i) :
			NULL;
		char	   *text;

		if (i > 0)
			appendStringInfoChar(out, ',');
		if (i == 0)
			nested = value && is_array(value) && depth + 1 < MAXDIM;
		if (nested)
		{
			JsonbContainer empty = {JB_FARRAY};

			append_array(out, value && is_array(value) ?
						 value->val.binary.data : &empty, length, depth + 1);
			continue;
		}
		text = value ? scalar_text(value) : NULL;
		if (text)
			append_quoted(out, text);
		else
			appendStringInfoString(out, "NULL");
	}
	appendStringInfoChar(out, '}');
}

/*
 * gs_json_to_array: a JSON array's text as the text that array_in reads.
 *
 * Anything but an array gives '{}'.  Allocated in the current context.
 */
char *
gs_json_to_array(const char *json)
{
	Jsonb	   *jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														   CStringGetDatum(json)));
	int			length[MAXDIM] = {0};
	StringInfoData out;

	if (!JB_ROOT_IS_ARRAY(jsonb) || JB_ROOT_IS_SCALAR(jsonb))
		return pstrdup("{}");
	initStringInfo(&out);
	append_array(&out, &jsonb->root, length, 0);
	return out.data;
}
