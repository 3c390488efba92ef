/*
 * jsonrow.c
 *	  Rows as jsonb, without going through text.
 *
 * Gives what to_jsonb gives for a row of the same types.  The common types
 * are pushed as they are; others go through to_jsonb one by one.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datetime.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "column/json.h"
#include "stream/jsonrow.h"

struct GsJsonRow
{
	int			natts;
	int		   *column;			/* [natts] columns in the order of keys */
	JsonbValue *key;			/* [natts] */
	Oid		   *type;			/* [natts] base types */
	FmgrInfo   *tojsonb;		/* [natts] for the types without a case */
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
	for (int i = 0; i < n; i++)
		row->column[i] = i;
	qsort_arg(row->column, n, sizeof(int), by_key, desc);
	for (int i = 0; i < n; i++)
	{
		Form_pg_attribute attribute = TupleDescAttr(desc, row->column[i]);

		row->key[i].type = jbvString;
		row->key[i].val.string.val = pstrdup(NameStr(attribute->attname));
		row->key[i].val.string.len = strlen(NameStr(attribute->attname));
		row->type[i] = getBaseType(attribute->atttypid);
		gs_tojsonb_init(&row->tojsonb[i], attribute->atttypid,
						CurrentMemoryContext);
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
 * Any other type: what to_jsonb makes of it, as a scalar or a container.
 */
static void
set_other(JsonbValue *value, FmgrInfo *tojsonb, Datum datum)
{
	Jsonb	   *jsonb = DatumGetJsonbP(FunctionCall1(tojsonb, datum));

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
set_value(JsonbValue *value, Oid type, FmgrInfo *tojsonb, Datum datum)
{
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
			set_other(value, tojsonb, datum);
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
	JsonbParseState *state = NULL;
	JsonbValue *object;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < row->natts; i++)
	{
		int			column = row->column[i];
		JsonbValue	value;

		pushJsonbValue(&state, WJB_KEY, &row->key[i]);
		if (nulls[column])
			value.type = jbvNull;
		else
			set_value(&value, row->type[i], &row->tojsonb[i], values[column]);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return JsonbPGetDatum(JsonbValueToJsonb(object));
}
