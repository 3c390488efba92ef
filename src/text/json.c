/*
 * json.c
 *	  SQL arrays as JSON, and back, so that one generator serves both.
 *
 * What the generator makes of a number is a number, but what it makes of a
 * string need not be a date or an address.  So an element is written as text
 * only if any text will do; else as a number (times in seconds, enum labels
 * by their index, a uuid, bytea or bit string by its length alone), or as an
 * object of such numbers where the type has several parts.  JSON documents
 * are wrapped in an object, lest an array among them be a dimension.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "common/jsonapi.h"
#include "mb/pg_wchar.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/float.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "compat.h"
#include "codec/codec_internal.h"
#include "encode/decode.h"
#include "codec/domain.h"
#include "text/json.h"

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

static GS_JSON_ACTION
check_number(void *state, char *token, JsonTokenType type)
{
	char	   *exponent = strpbrk(token, "eE");

	if (type == JSON_TOKEN_NUMBER && exponent != NULL &&
		abs(atoi(exponent + 1)) > 1000)
		*(bool *) state = false;
	return GS_JSON_ACTION_DONE;
}

/*
 * gs_json_is_plain: whether a value of type json is one of jsonb too, which
 * takes no \u0000, no halves of surrogate pairs and no gigantic number.
 */
bool
gs_json_is_plain(const char *text, int len)
{
	bool		plain = true;
	JsonSemAction action = {.semstate = &plain,.scalar = check_number};
	JsonLexContext *lex;

	lex = gs_json_lexer(unconstify(char *, text), len);
	return pg_parse_json(lex, &action) == JSON_SUCCESS && plain;
}

/*
 * gs_json_to_jsonb: a JSON text as jsonb writes it, by which equal ones are
 * known.
 */
char *
gs_json_to_jsonb(const char *text)
{
	Datum		jsonb = DirectFunctionCall1(jsonb_in, CStringGetDatum(text));

	return DatumGetCString(DirectFunctionCall1(jsonb_out, jsonb));
}

/*
 * A part as JSON; special values as strings.
 */
static void
append_part(StringInfo out, const GsCodec *codec, int p, const GsPart *part)
{
	const GsPartKind *kind = &codec->part[p];
	GsScalar	scalar = part->scalar;
	uint64		unit = (uint64) pow(10, kind->decimals);
	uint64		rest;

	if (part->absent)
		appendStringInfoString(out, "null");
	else if (part->lane == GS_LANE_NUMERIC)
	{
		bool		number = strspn(part->text, "0123456789.-") == part->len;

		appendStringInfo(out, number ? "%s" : "\"%s\"", part->text);
	}
	else if (part->lane == GS_LANE_FLOAT)
		appendStringInfo(out, isfinite(scalar.f) ? "%s" : "\"%s\"",
						 codec->kind->narrow ?
						 DatumGetCString(DirectFunctionCall1(float4out,
															 Float4GetDatum((float4) scalar.f))) :
						 float8out_internal(scalar.f));
	else if (gs_scalar_is_special(kind, part->lane, scalar))
		appendStringInfo(out, "\"%s\"", scalar.i < 0 ? "-infinity" :
						 "infinity");
	else if (kind->ordered)
		appendStringInfo(out, UINT64_FORMAT, gs_unordered(scalar.i));
	else if (kind->decimals == 0)
		appendStringInfo(out, INT64_FORMAT, scalar.i);
	else
	{
		rest = scalar.i < 0 ? -(uint64) scalar.i : (uint64) scalar.i;
		appendStringInfo(out, "%s" UINT64_FORMAT "." GS_PADDED_UINT64,
						 scalar.i < 0 ? "-" : "", rest / unit, kind->decimals,
						 rest % unit);
		/* as few decimals as it has, for that is what is learned */
		while (out->data[out->len - 1] == '0')
			out->data[--out->len] = '\0';
		if (out->data[out->len - 1] == '.')
			out->data[--out->len] = '\0';
	}
}

/*
 * The index of an enum's label, or the label of an index.
 */
static int
enum_index(const GsCodec *codec, const char *label)
{
	int			i = 0;

	while (i + 1 < codec->nlabels && strcmp(codec->label[i], label) != 0)
		i++;
	return i;
}

static char *
enum_label(const GsCodec *codec, double index)
{
	return index >= 0 && index < codec->nlabels ?
		pstrdup(codec->label[(int) index]) : NULL;
}

static void
append_element(StringInfo out, GsCodec *codec, Datum value)
{
	GsPart		parts[GS_MAX_PARTS];
	char	   *text;

	switch (codec->kind->content)
	{
		case GS_CONTENT_TRUTH:
			appendStringInfoString(out, DatumGetBool(value) ? "true" : "false");
			return;
		case GS_CONTENT_TEXT:
			escape_json(out, OutputFunctionCall(&codec->output, value));
			return;
		case GS_CONTENT_JSON:
			text = OutputFunctionCall(&codec->output, value);
			if (gs_json_is_plain(text, strlen(text)))
				appendStringInfo(out, "{\"v\": %s}", text);
			else
				appendStringInfoString(out, "null");
			return;
		case GS_CONTENT_LABEL:
			text = OutputFunctionCall(&codec->output, value);
			appendStringInfo(out, "%d", enum_index(codec, text));
			return;
		case GS_CONTENT_UUID:
			appendStringInfoChar(out, '0');
			return;
		case GS_CONTENT_BITS:
			text = OutputFunctionCall(&codec->output, value);
			appendStringInfo(out, "%d", (int) (codec->kind->bits == 1 ?
											   strlen(text) :
											   strlen(text) / 2 - 1));
			return;
		default:
			break;
	}
	gs_codec_split(codec, value, parts);
	if (codec->nparts == 1)
	{
		append_part(out, codec, 0, &parts[0]);
		return;
	}
	for (int p = 0; p < codec->nparts; p++)
	{
		appendStringInfo(out, "%s\"%d\": ", p == 0 ? "{" : ", ", p);
		append_part(out, codec, p, &parts[p]);
	}
	appendStringInfoChar(out, '}');
}

/* The elements of an array, while they are written. */
typedef struct ArrayReader
{
	GsCodec    *codec;			/* of the elements */
	int			ndims;
	int		   *dims;
	Datum	   *values;
	bool	   *nulls;
	int			next;
} ArrayReader;

static void
append_dimension(StringInfo out, ArrayReader *reader, int dim)
{
	appendStringInfoChar(out, '[');
	for (int i = 0; dim < reader->ndims && i < reader->dims[dim]; i++)
	{
		if (i > 0)
			appendStringInfoChar(out, ',');
		if (dim < reader->ndims - 1)
		{
			append_dimension(out, reader, dim + 1);
			continue;
		}
		if (reader->nulls[reader->next])
			appendStringInfoString(out, "null");
		else
			append_element(out, reader->codec, reader->values[reader->next]);
		reader->next++;
	}
	appendStringInfoChar(out, ']');
}

/*
 * gs_array_to_json: the JSON text of an array's text, in the current context.
 */
char *
gs_array_to_json(GsCodec *codec, const char *text)
{
	Datum		datum = InputFunctionCall(&codec->input,
										  unconstify(char *, text),
										  codec->ioparam, -1);
	ArrayType  *array = DatumGetArrayTypeP(datum);
	ArrayReader reader = {.codec = codec->element};
	StringInfoData out;
	int16		len;
	bool		byval;
	char		align;
	int			n;

	get_typlenbyvalalign(codec->elementtype, &len, &byval, &align);
	deconstruct_array(array, codec->elementtype, len, byval, align,
					  &reader.values, &reader.nulls, &n);
	reader.ndims = ARR_NDIM(array);
	reader.dims = ARR_DIMS(array);
	initStringInfo(&out);
	append_dimension(&out, &reader, 0);
	return out.data;
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

static double
to_double(const JsonbValue *value)
{
	Datum		number = NumericGetDatum(value->val.numeric);

	return DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow,
											  number));
}

static bool
string_is(const JsonbValue *value, const char *text)
{
	return value->type == jbvString &&
		value->val.string.len == strlen(text) &&
		memcmp(value->val.string.val, text, value->val.string.len) == 0;
}

/*
 * A part in an INT lane.  What isn't a number or special is absent.
 */
static void
read_integer(const GsPartKind *kind, const JsonbValue *value, GsPart *part)
{
	double		number;

	if (value->type == jbvNumeric && kind->ordered)
	{
		number = rint(to_double(value));
		part->scalar.i = gs_ordered(number <= 0 ? 0 :
									number >= (double) PG_UINT64_MAX ?
									PG_UINT64_MAX : (uint64) number);
	}
	else if (value->type == jbvNumeric)
	{
		number = rint(to_double(value) * pow(10, kind->decimals));
		if (number <= (double) kind->min)
			part->scalar.i = kind->min;
		else if (number >= (double) kind->max)
			part->scalar.i = kind->max;
		else
			part->scalar.i = (int64) number;
	}
	else if (kind->special && string_is(value, "-infinity"))
		part->scalar.i = kind->minus;
	else if (kind->special && string_is(value, "infinity"))
		part->scalar.i = kind->plus;
	else
	{
		part->absent = true;
		part->scalar.i = kind->ordered ? gs_ordered(0) : 0;
	}
}

static void
read_part(const GsCodec *codec, int p, const JsonbValue *value, GsPart *part)
{
	static const char *const specials[] = {"NaN", "Infinity", "-Infinity"};
	const char *text = NULL;

	memset(part, 0, sizeof(GsPart));
	part->lane = codec->part[p].lane;
	if (part->lane == GS_LANE_INT)
	{
		read_integer(&codec->part[p], value, part);
		return;
	}
	if (value->type == jbvNumeric)
		text = DatumGetCString(DirectFunctionCall1(numeric_out,
												   NumericGetDatum(value->val.numeric)));
	for (int i = 0; i < lengthof(specials); i++)
		if (string_is(value, specials[i]))
			text = specials[i];
	part->absent = text == NULL;
	if (part->lane == GS_LANE_FLOAT)
		part->scalar.f = text ? strtod(text, NULL) : 0;
	else
	{
		/* gs_codec_join reads a text */
		part->lane = GS_LANE_TEXT;
		part->text = text ? text : "0";
	}
}

/*
 * An element of a type of numbers; NULL if it can't be made.
 */
static bool
read_element(GsCodec *codec, JsonbValue *value, Datum *result)
{
	GsPart		parts[GS_MAX_PARTS];
	JsonbValue	nothing = {.type = jbvNull};

	if (codec->nparts == 1)
		read_part(codec, 0, value, &parts[0]);
	else if (value->type != jbvBinary ||
			 !JsonContainerIsObject(value->val.binary.data))
		return false;
	for (int p = 0; p < codec->nparts && codec->nparts > 1; p++)
	{
		char		key = '0' + p;
		JsonbValue	held;
		JsonbValue *member = getKeyJsonValueFromContainer(value->val.binary.data,
														  &key, 1, &held);

		read_part(codec, p, member ? member : &nothing, &parts[p]);
	}
	if (parts[0].absent)
		return false;
	*result = gs_codec_join(codec, parts);
	return true;
}

/*
 * A JSON document that was wrapped.
 */
static char *
read_document(JsonbValue *value)
{
	JsonbValue	held;
	JsonbValue *member;

	if (value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		return NULL;
	member = getKeyJsonValueFromContainer(value->val.binary.data, "v", 1,
										  &held);
	if (member == NULL)
		return NULL;
	return DatumGetCString(DirectFunctionCall1(jsonb_out,
											   JsonbPGetDatum(JsonbValueToJsonb(member))));
}

/*
 * An element as text; NULL for NULL, or if it can't be made.
 */
static char *
element_text(GsCodec *codec, JsonbValue *value, GsRandom *random)
{
	bool		number = value->type == jbvNumeric;
	StringInfoData text;
	Datum		datum;
	int			length;

	initStringInfo(&text);
	switch (codec->kind->content)
	{
		case GS_CONTENT_TRUTH:
			if (value->type != jbvBool)
				return NULL;
			return pstrdup(value->val.boolean ? "t" : "f");
		case GS_CONTENT_TEXT:
			if (value->type != jbvString)
				return NULL;
			length = value->val.string.len;
			if (codec->typmod > (int32) VARHDRSZ &&
				(codec->type == VARCHAROID || codec->type == BPCHAROID))
				length = pg_mbcharcliplen(value->val.string.val, length,
										  codec->typmod - VARHDRSZ);
			return pnstrdup(value->val.string.val, length);
		case GS_CONTENT_JSON:
			return read_document(value);
		case GS_CONTENT_LABEL:
			return number ? enum_label(codec, to_double(value)) : NULL;
		case GS_CONTENT_UUID:
			if (!number)
				return NULL;
			gs_draw_uuid(&text, random);
			return text.data;
		case GS_CONTENT_BITS:
			if (!number)
				return NULL;
			length = (int) Max(0, Min(to_double(value), GS_MAX_LENGTH));
			if (codec->type == BITOID && codec->typmod > 0)
				length = codec->typmod;
			gs_draw_bits(&text, random, length,
						 codec->kind->bits == 8);
			return text.data;
		default:
			if (!read_element(codec, value, &datum))
				return NULL;
			return OutputFunctionCall(&codec->output, datum);
	}
}

/* An array's text, while it is written. */
typedef struct ArrayWriter
{
	StringInfoData out;
	GsCodec    *codec;			/* of the array */
	GsDomain   *domain;			/* of its elements */
	GsRandom   *random;
	int			length[MAXDIM];
	bool		flawed;			/* an element could not be made */
} ArrayWriter;

static void
write_element(ArrayWriter *writer, JsonbValue *value)
{
	GsCodec    *codec = writer->codec->element;
	char	   *text = NULL;

	if (value != NULL && value->type != jbvNull)
	{
		text = element_text(codec, value, writer->random);
		if (text != NULL && writer->domain != NULL &&
			!gs_domain_accepts(writer->domain,
							   InputFunctionCall(&codec->input, text,
												 codec->ioparam,
												 codec->typmod)))
			text = NULL;
		writer->flawed |= text == NULL;
	}
	if (text != NULL)
		append_quoted(&writer->out, text);
	else
		appendStringInfoString(&writer->out, "NULL");
}

static inline bool
is_array(const JsonbValue *value)
{
	return value != NULL && value->type == jbvBinary &&
		JsonContainerIsArray(value->val.binary.data);
}

/*
 * An array at a depth.  SQL arrays are rectangular: the first array seen at a
 * depth sets the length of all others there, which are cut or filled up with
 * NULL.
 */
static void
write_array(ArrayWriter *writer, JsonbContainer *array, int depth)
{
	int			n = JsonContainerSize(array);
	int		   *length = &writer->length[depth];
	bool		nested = false;

	if (depth > 0 && *length == 0)
		*length = Max(n, 1);
	else if (depth == 0)
		*length = n;
	appendStringInfoChar(&writer->out, '{');
	for (int i = 0; i < *length; i++)
	{
		JsonbValue *value = i < n ? getIthJsonbValueFromContainer(array, i) :
			NULL;
		JsonbContainer empty = {JB_FARRAY};

		if (i > 0)
			appendStringInfoChar(&writer->out, ',');
		if (i == 0)
			nested = is_array(value) && depth + 1 < MAXDIM;
		if (nested)
			write_array(writer, is_array(value) ? value->val.binary.data :
						&empty, depth + 1);
		else
			write_element(writer, value);
	}
	appendStringInfoChar(&writer->out, '}');
}

/*
 * gs_json_to_array: a JSON array's text as the text that array_in reads.
 *
 * codec: of the array; random: for what JSON doesn't hold; *flawed: set if an
 * element could not be made, and is NULL.  Anything but an array gives '{}'.
 * Allocated in the current context.
 */
char *
gs_json_to_array(GsCodec *codec, const char *json, GsRandom *random,
				 bool *flawed)
{
	Jsonb	   *jsonb = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
														   CStringGetDatum(json)));
	ArrayWriter writer = {.codec = codec,.random = random};

	*flawed = false;
	if (!JB_ROOT_IS_ARRAY(jsonb) || JB_ROOT_IS_SCALAR(jsonb))
		return pstrdup("{}");
	if (codec->elementtype != codec->element->type && codec->domain == NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(codec->input.fn_mcxt);

		codec->domain = gs_domain_open(codec->elementtype);
		MemoryContextSwitchTo(old);
	}
	writer.domain = codec->domain;
	initStringInfo(&writer.out);
	write_array(&writer, &jsonb->root, 0);
	*flawed = writer.flawed;
	return writer.out.data;
}
