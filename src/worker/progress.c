/*
 * progress.c
 *	  How far a fit or a fill is, for every session to see.
 *
 * PostgreSQL has a place for that in each backend's public status: a command,
 * a relation and 20 numbers, which its own views show for VACUUM and others.
 * Under a number that none of them knows it shows to nobody but us, and needs
 * no shared memory.  What others do in the same backend overwrites it (an
 * ANALYZE within the source), and the abort of any subtransaction ends it, so
 * all of it is kept here, too, and announced again when it is gone.
 */
#include "postgres.h"

#include <math.h>

#include "access/xact.h"
#include "catalog/pg_authid.h"
#include "funcapi.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "utils/acl.h"
#include "utils/backend_status.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"

#include "compat.h"
#include "worker/progress.h"

/* None of PostgreSQL's own commands. */
#define COMMAND			0x47530001

/* Numbers of a command. */
enum
{
	PARAM_PHASE,
	PARAM_DONE,
	PARAM_BEFORE,				/* what was done when the phase began */
	PARAM_TOTAL,				/* -1: not known */
	PARAM_EPOCH,				/* a double's bits, as the loss; NaN: none */
	PARAM_LOSS,
	PARAM_STARTED,				/* TimestampTz */
	PARAM_PHASE_STARTED,
	PARAM_JOB_ROLE,				/* a job's number, and the role that works */
	PARAM_MODEL					/* its name, as much as fits, to the end */
};

#define MODEL_BYTES \
	((PGSTAT_NUM_PROGRESS_PARAM - PARAM_MODEL) * (int) sizeof(int64))

/* What the backend tells; the command is 0 where it tells nothing. */
static GsProgress current;
static int	current_job;

static const char *const phases[] = {
	NULL, "reading", "learning columns", "order", "trees", "network",
	"calibrating", "refining", "storing", "filling"
};

/*
 * gs_phase_name: what users call a phase.
 */
const char *
gs_phase_name(GsPhase phase)
{
	return phases[phase];
}

static int64
double_bits(double value)
{
	int64		bits;

	memcpy(&bits, &value, sizeof(bits));
	return bits;
}

static void
announce(const GsProgress *progress)
{
	int			index[PGSTAT_NUM_PROGRESS_PARAM];

	for (int i = 0; i < PGSTAT_NUM_PROGRESS_PARAM; i++)
		index[i] = i;
	pgstat_progress_start_command((ProgressCommandType) progress->command,
								  progress->target);
	pgstat_progress_update_multi_param(PGSTAT_NUM_PROGRESS_PARAM, index,
									   progress->param);
}

/*
 * Whether what others see is what was told last.
 */
static bool
is_announced(void)
{
	return MyBEEntry == NULL ||
		(int) MyBEEntry->st_progress_command == COMMAND;
}

/*
 * gs_progress_job: what this process tells from now on is of a job.
 */
void
gs_progress_job(int job)
{
	current_job = job;
}

/*
 * gs_progress_begin: a fit or fill begins.
 *
 * model: its name, "" if it has none; relid: what is read, or filled;
 * InvalidOid: a query.  outer: set to what the backend was telling, for
 * gs_progress_end().
 */
void
gs_progress_begin(const char *model, Oid relid, GsProgress *outer)
{
	TimestampTz now = GetCurrentTimestamp();
	int			length = pg_mbcliplen(model, strlen(model), MODEL_BYTES - 1);

	*outer = current;
	if (current.command == 0 && MyBEEntry != NULL)
	{
		/* PostgreSQL's own, such as the COPY of a query */
		outer->command = (int) MyBEEntry->st_progress_command;
		outer->target = MyBEEntry->st_progress_command_target;
		memcpy(outer->param, MyBEEntry->st_progress_param,
			   sizeof(outer->param));
	}
	memset(&current, 0, sizeof(current));
	current.command = COMMAND;
	current.target = relid;
	current.param[PARAM_TOTAL] = -1;
	current.param[PARAM_EPOCH] = current.param[PARAM_LOSS] = double_bits(NAN);
	current.param[PARAM_STARTED] = current.param[PARAM_PHASE_STARTED] = now;
	current.param[PARAM_JOB_ROLE] = (int64) current_job << 32 | GetUserId();
	memcpy(&current.param[PARAM_MODEL], model, length);
}

/*
 * gs_progress_phase: a phase begins; done: how much of it already is; total:
 * how much there is to do, -1 if that is not known.
 */
void
gs_progress_phase(GsPhase phase, int64 done, int64 total)
{
	if (current.command == 0)
		return;
	/* who polls may say so several times */
	if (current.param[PARAM_PHASE] == phase &&
		current.param[PARAM_TOTAL] == total &&
		current.param[PARAM_DONE] == done && is_announced())
		return;
	current.param[PARAM_PHASE] = phase;
	current.param[PARAM_DONE] = current.param[PARAM_BEFORE] = done;
	current.param[PARAM_TOTAL] = total;
	current.param[PARAM_EPOCH] = current.param[PARAM_LOSS] = double_bits(NAN);
	current.param[PARAM_PHASE_STARTED] = GetCurrentTimestamp();
	announce(&current);
	elog(DEBUG1, "phase: %s", phases[phase]);
}

/*
 * gs_progress_done: so much of the phase is done.
 */
void
gs_progress_done(int64 done)
{
	if (current.command == 0)
		return;
	current.param[PARAM_DONE] = done;
	if (is_announced())
		pgstat_progress_update_param(PARAM_DONE, done);
	else
		announce(&current);
}

/*
 * gs_progress_network: the same of a network's steps, whose total may change;
 * loss: of validation.
 */
void
gs_progress_network(int64 step, int64 steps, double epoch, double loss)
{
	static const int index[] = {PARAM_TOTAL, PARAM_EPOCH, PARAM_LOSS};
	int64		value[] = {steps, double_bits(epoch), double_bits(loss)};

	if (current.command == 0)
		return;
	for (int i = 0; i < lengthof(index); i++)
		current.param[index[i]] = value[i];
	if (is_announced())
		pgstat_progress_update_multi_param(lengthof(index), index, value);
	gs_progress_done(step);
}

/*
 * gs_progress_end: what was told before goes on.
 */
void
gs_progress_end(const GsProgress *outer)
{
	memset(&current, 0, sizeof(current));
	if (outer->command == COMMAND)
		current = *outer;
	if (outer->command == PROGRESS_COMMAND_INVALID)
		pgstat_progress_end_command();
	else
		announce(outer);
}

/*
 * Whether the caller may see what a backend does: as in pg_stat_activity, or
 * because it does so as a role that the caller has the rights of.
 */
static bool
may_see(const PgBackendStatus *status, Oid role)
{
	Oid			user = GetUserId();

	return has_privs_of_role(user, ROLE_PG_READ_ALL_STATS) ||
		has_privs_of_role(user, status->st_userid) ||
		has_privs_of_role(user, role);
}

static double
bits_double(int64 bits)
{
	double		value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/*
 * A relation's name, qualified and quoted; NULL if it is gone.
 */
static const char *
relation_name(Oid relid)
{
	const char *name = OidIsValid(relid) ? get_rel_name(relid) : NULL;
	const char *schema = name == NULL ? NULL :
		get_namespace_name(get_rel_namespace(relid));

	return schema == NULL ? NULL : quote_qualified_identifier(schema, name);
}

#define VIEW_COLUMNS	13

/* A row of the view, filled from its left. */
typedef struct ViewRow
{
	Datum		value[VIEW_COLUMNS];
	bool		null[VIEW_COLUMNS];
	int			n;
} ViewRow;

static void
put(ViewRow *row, Datum value, bool isnull)
{
	row->value[row->n] = value;
	row->null[row->n++] = isnull;
}

static void
put_text(ViewRow *row, const char *text)
{
	put(row, text == NULL ? (Datum) 0 : CStringGetTextDatum(text),
		text == NULL);
}

/*
 * When a phase will be done if it goes on as it went; false if it has not
 * begun to, or is not known to end.
 */
static bool
estimate_end(const int64 *param, TimestampTz *end)
{
	double		did = param[PARAM_DONE] - param[PARAM_BEFORE];
	double		left = param[PARAM_TOTAL] - param[PARAM_DONE];
	TimestampTz now = GetCurrentTimestamp();
	double		more = (now - param[PARAM_PHASE_STARTED]) * left / did;

	/* in microseconds; beyond some thousand years nobody asks */
	if (!(did > 0) || !(left >= 0) || !(more < 1e17))
		return false;
	*end = now + (TimestampTz) more;
	return true;
}

/*
 * All columns after the process's number.
 */
static void
put_progress(ViewRow *row, const PgBackendStatus *status, Oid role)
{
	const int64 *param = status->st_progress_param;
	int			job = (int) (param[PARAM_JOB_ROLE] >> 32);
	int64		done = param[PARAM_DONE];
	int64		total = param[PARAM_TOTAL];
	double		fraction = total > 0 ? Min((double) done / total, 1) : 0;
	double		epoch = bits_double(param[PARAM_EPOCH]);
	double		loss = bits_double(param[PARAM_LOSS]);
	const char *model = (const char *) &param[PARAM_MODEL];
	TimestampTz end = 0;
	bool		ends = estimate_end(param, &end);

	put(row, Int32GetDatum(job), job == 0);
	put_text(row, GetUserNameFromId(role, true));
	put_text(row, relation_name(status->st_progress_command_target));
	put_text(row, model[0] != '\0' ? model : NULL);
	put_text(row, phases[param[PARAM_PHASE]]);
	put(row, Int64GetDatum(done), false);
	put(row, Int64GetDatum(total), total < 0);
	put(row, Float8GetDatum(fraction), total <= 0);
	put(row, Float8GetDatum(epoch), isnan(epoch));
	put(row, Float8GetDatum(loss), isnan(loss));
	put(row, TimestampTzGetDatum(param[PARAM_STARTED]), false);
	put(row, TimestampTzGetDatum(end), !ends);
}

/*
 * gensynth.progress(): what the backends of this database tell, as of the
 * transaction's first look at them.  See worker.sql.
 */
GS_FUNCTION(gensynth_progress);

Datum
gensynth_progress(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	int			n = pgstat_fetch_stat_numbackends();

	InitMaterializedSRF(fcinfo, 0);
	for (int i = 1; i <= n; i++)
	{
		const LocalPgBackendStatus *local = gs_local_status(i);
		const PgBackendStatus *status = &local->backendStatus;
		Oid			role;
		ViewRow		row = {.n = 0};

		if (status->st_databaseid != MyDatabaseId ||
			(int) status->st_progress_command != COMMAND ||
			status->st_progress_param[PARAM_PHASE] <= 0 ||
			status->st_progress_param[PARAM_PHASE] >= lengthof(phases))
			continue;
		role = (Oid) (status->st_progress_param[PARAM_JOB_ROLE] & PG_UINT32_MAX);
		memset(row.null, true, sizeof(row.null));
		put(&row, Int32GetDatum(status->st_procpid), false);
		if (may_see(status, role))
			put_progress(&row, status, role);
		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, row.value,
							 row.null);
	}
	return (Datum) 0;
}
