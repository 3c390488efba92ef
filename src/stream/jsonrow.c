/*
 * jsonrow.c
 *	  Rows as jsonb, without going through text.
 *
 * Gives what to_jsonb gives for a row of the same types.  The common types
 * are pushed as they are; others that came with PostgreSQL go through to_jsonb
 * one by one.  to_jsonb would run anybody's cast from a type of theirs to json,
 * so values of those (enums, say) are strings, whatever casts there are.
 */
#include "postgres.h"

#include <math.h>

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "compat.h"
#include "text/json.h"
#include "stream/jsonrow.h"

struct GsJsonRow
{
	int			natts;
	int		   *column;			/* [natts] columns in the order of keys */
	JsonbValue *key;			/* [natts] */
	Oid		   *type;			/* [natts] plain types */
	FmgrInfo   *tojsonb;		/* [natts] for the types without a case */
	FmgrInfo   *output;			/* [natts] set for strings' types ... */
	Oid		   *element;		/* ... and for arrays of these */
};

/* jsonb keeps its keys ordered by length, then bytes. */
static int
by_key(const void *a, const void *b, void *arg)
{
	TupleDesc	desc = arg;
	const char *x = NameStr(TupleDescAttr(desc, *(const int *) a)->attname);
	const char *y = NameStr(TupleDescAttr(desc, *(const int *) b)->attname);
	size_t		xlen = strlen(x);
	size_t		ylen = strlen(y);

	if (xlen != ylen)
		return xlen < ylen ? -1 : 1;
	return memcmp(x, y, xlen);
}

/*
 * Looks up what a value of key i's type is written by.
 */
static void
init_other(GsJsonRow *row, int i)
{
	Oid			element = get_element_type(row->type[i]);
	Oid			own = OidIsValid(element) ? element : row->type[i];
	Oid			output;
	bool		varlena;

	if (own < FirstUnpinnedObjectId)
	{
		gs_tojsonb_init(&row->tojsonb[i], row->type[i], CurrentMemoryContext);
		return;
	}
	getTypeOutputInfo(own, &output, &varlena);
	fmgr_info(output, &row->output[i]);
	row->element[i] = element;
	if (OidIsValid(element))
		gs_tojsonb_init(&row->tojsonb[i], TEXTARRAYOID, CurrentMemoryContext);
}

/*
 * gs_jsonrow_create: prepares for rows of a descriptor, in the current
 * context.
 */
GsJsonRow *
gs_jsonrow_create(TupleDesc desc)
{
	GsJsonRow  *row = palloc0(sizeof(GsJsonRow));
	int			n = desc->natts;

	row->natts = n;
	row->column = palloc(sizeof(int) * n);
	row->key = palloc0(sizeof(JsonbValue) * n);
	row->type = palloc(sizeof(Oid) * n);
	row->tojsonb = palloc0(sizeof(FmgrInfo) * n);
	row->output = palloc0(sizeof(FmgrInfo) * n);
	row->element = palloc0(sizeof(Oid) * n);
	for (int i = 0; i < n; i++)
		row->column[i] = i;
	qsort_arg(row->column, n, sizeof(int), by_key, desc);
	for (int i = 0; i < n; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, row->column[i]);

		row->key[i].type = jbvString;
		row->key[i].val.string.val = pstrdup(NameStr(attribute->attname));
		row->key[i].val.string.len = strlen(NameStr(attribute->attname));
		row->type[i] = attribute->atttypid;
		init_other(row, i);
	}
	return row;
}

static void
set_string(JsonbValue *value, char *text, int len)
{
	value->type = jbvString;
	value->val.string.val = text;
	value->val.string.len = len;
}

static void
set_numeric(JsonbValue *value, Numeric number)
{
	/* JSON has no NaN and no infinity: to_jsonb writes them as strings */
	if (numeric_is_nan(number) || numeric_is_inf(number))
	{
		char	   *text = DatumGetCString(DirectFunctionCall1(numeric_out,
															   NumericGetDatum(number)));

		set_string(value, text, strlen(text));
		return;
	}
	value->type = jbvNumeric;
	value->val.numeric = number;
}

/*
 * An array, its elements as texts.
 */
static Datum
array_of_texts(Oid element, FmgrInfo *output, Datum datum)
{
	ArrayType  *array = DatumGetArrayTypeP(datum);
	int16		len;
	bool		byval;
	char		align;
	Datum	   *values;
	bool	   *nulls;
	int			n;

	get_typlenbyvalalign(element, &len, &byval, &align);
	deconstruct_array(array, element, len, byval, align, &values, &nulls, &n);
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			values[i] = CStringGetTextDatum(OutputFunctionCall(output,
															   values[i]));
	return PointerGetDatum(construct_md_array(values, nulls, ARR_NDIM(array),
											  ARR_DIMS(array),
											  ARR_LBOUND(array), TEXTOID, -1,
											  false, TYPALIGN_INT));
}

/*
 * Any other type: what to_jsonb makes of it, as a scalar or a container; or a
 * string.
 */
static void
set_other(const GsJsonRow *row, int i, JsonbValue *value, Datum datum)
{
	FmgrInfo   *output = &row->output[i];
	Jsonb	   *jsonb;

	if (OidIsValid(row->element[i]))
		datum = array_of_texts(row->element[i], output, datum);
	else if (OidIsValid(output->fn_oid))
	{
		char	   *text = OutputFunctionCall(output, datum);

		set_string(value, text, strlen(text));
		return;
	}
	jsonb = DatumGetJsonbP(FunctionCall1(&row->tojsonb[i], datum));
	if (JB_ROOT_IS_SCALAR(jsonb))
	{
		*value = *getIthJsonbValueFromContainer(&jsonb->root, 0);
		return;
	}
	value->type = jbvBinary;
	value->val.binary.data = &jsonb->root;
	value->val.binary.len = VARSIZE(jsonb) - VARHDRSZ;
}

static void
set_value(const GsJsonRow *row, int i, JsonbValue *value, Datum datum)
{
	Oid			type = row->type[i];

	switch (type)
	{
		case BOOLOID:
			value->type = jbvBool;
			value->val.boolean = DatumGetBool(datum);
			break;
		case INT2OID:
			set_numeric(value, int64_to_numeric(DatumGetInt16(datum)));
			break;
		case INT4OID:
			set_numeric(value, int64_to_numeric(DatumGetInt32(datum)));
			break;
		case INT8OID:
			set_numeric(value, int64_to_numeric(DatumGetInt64(datum)));
			break;
		case NUMERICOID:
			set_numeric(value, DatumGetNumeric(datum));
			break;
		case TEXTOID:
		case VARCHAROID:
		case BPCHAROID:
			{
				text	   *t = DatumGetTextPP(datum);

				set_string(value, VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
				break;
			}
		case DATEOID:
		case TIMESTAMPOID:
		case TIMESTAMPTZOID:
			{
				char	   *buffer = palloc(MAXDATELEN + 1);

				JsonEncodeDateTime(buffer, datum, type, NULL);
				set_string(value, buffer, strlen(buffer));
				break;
			}
		default:
			set_other(row, i, value, datum);
			break;
	}
}

/*
 * gs_jsonrow_form: a row's jsonb, in the current context, which also takes
 * the pieces.  values, nulls: in the order of the descriptor.
 */
Datum
gs_jsonrow_form(GsJsonRow *row, const Datum *values, const bool *nulls)
{
	GsJsonbState state = {0};

	gs_push_jsonb(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < row->natts; i++)
	{
		int			column = row->column[i];
		JsonbValue	value;

		gs_push_jsonb(&state, WJB_KEY, &row->key[i]);
		if (nulls[column])
			value.type = jbvNull;
		else
			set_value(row, i, &value, values[column]);
		gs_push_jsonb(&state, WJB_VALUE, &value);
	}
	gs_push_jsonb(&state, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(gs_jsonb_result(&state)));
}
