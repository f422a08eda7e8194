/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "sim/scenario/sections.h"
#include "sim/core/world.h"
#include "sim/scenario/budget.h"
#include "sim/scenario/scenario.h"

const char *const sc_model_sections[] = {"incidents", "safeguards", "hazards", "couplings", "capability",
                                         "sensing",   "teams",      "actions", "repair",    NULL};

#define ENTRY(singular, plural)                                                                                        \
  { .name = singular, .kind = SIM_MODEL, .section = plural, .doc = "One entry; `like` names its model or preset." }
static const struct sim_param incident_entry[] = {ENTRY("incident", "incidents"), {.name = NULL}};
static const struct sim_param hazard_entry[] = {ENTRY("hazard", "hazards"), {.name = NULL}};
static const struct sim_param coupling_entry[] = {ENTRY("coupling", "couplings"), {.name = NULL}};
static const struct sim_param sensor_entry[] = {ENTRY("sensor", "sensing"), {.name = NULL}};
static const struct sim_param team_entry[] = {ENTRY("team", "teams"), {.name = NULL}};
static const struct sim_param action_entry[] = {ENTRY("action", "actions"), {.name = NULL}};
static const struct sim_param repair_entry[] = {ENTRY("repair", "repair"), {.name = NULL}};

/* ---- design ----------------------------------------------------------------------------------------------------- */

static const struct sim_param points_params[] = {{.name = "points",
                                                  .kind = SIM_QUANTITY,
                                                  .flags = SIM_FIRST | SIM_REQUIRED | SIM_INTEGER | SIM_NO_RANGE,
                                                  .min = 1,
                                                  .max = 1e7,
                                                  .doc = "Number of points (for a grid: values of each parameter)."},
                                                 {.name = NULL}};
static const struct sim_param saltelli_params[] = {
    {.name = "points",
     .kind = SIM_QUANTITY,
     .flags = SIM_FIRST | SIM_REQUIRED | SIM_INTEGER | SIM_NO_RANGE,
     .min = 1,
     .max = 1e6,
     .doc = "Rows N of the base design; with d parameters there are N (d + 2) design points. Best a power of two."},
    {.name = NULL}};
static const struct sim_param morris_params[] = {
    {.name = "trajectories",
     .kind = SIM_QUANTITY,
     .flags = SIM_FIRST | SIM_REQUIRED | SIM_INTEGER | SIM_NO_RANGE,
     .min = 1,
     .max = 1e6,
     .doc = "Trajectories R; with d parameters there are R (d + 1) design points."},
    {.name = "levels",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER | SIM_NO_RANGE,
     .fallback = "4",
     .min = 2,
     .max = 1000,
     .doc = "Values of each parameter, ends included: an even number."},
    {.name = NULL}};
static const struct sim_param csv_params[] = {
    {.name = "file",
     .kind = SIM_FILE,
     .flags = SIM_FIRST | SIM_REQUIRED,
     .doc = "A CSV file whose header names paths of numbers, and whose cells are values as a scenario has them."},
    {.name = NULL}};
static const struct sim_param no_params[] = {{.name = NULL}};
static const struct sim_call samplers[] = {
    {"none", no_params, "One point: every parameter at its value."},
    {"latin_hypercube", points_params, "Latin hypercube (McKay, Beckman & Conover 1979)."},
    {"sobol", points_params, "Sobol' sequence (Sobol' 1967)."},
    {"grid", points_params, "Full factorial grid over the ranges."},
    {"random", points_params, "Independent uniform points in the ranges."},
    {"saltelli", saltelli_params, "Rows A, B and A with one column from B, for Sobol' indices (Saltelli et al. 2010)."},
    {"morris", morris_params, "Trajectories that move one parameter at a time (Morris 1991)."},
    {"csv", csv_params, "Points from a file."},
    {NULL, NULL, NULL}};

/* ---- design.precision ------------------------------------------------------------------------------------------- */

#define WIDTH(unit_, doc_)                                                                                             \
  {                                                                                                                    \
    .name = "width", .kind = SIM_QUANTITY, .flags = SIM_FIRST | SIM_REQUIRED | SIM_OPEN_MIN | SIM_NO_RANGE,            \
    .unit = unit_, .doc = doc_                                                                                         \
  }
#define FLOOR                                                                                                          \
  {                                                                                                                    \
    .name = "floor", .kind = SIM_QUANTITY, .flags = SIM_INTEGER | SIM_NO_RANGE, .fallback = "32", .min = 2,            \
    .max = 1e9, .doc = "Replicates that each point has in any case."                                                   \
  }
#define LEVEL                                                                                                          \
  {                                                                                                                    \
    .name = "level", .kind = SIM_QUANTITY, .flags = SIM_NO_RANGE, .unit = "1", .max = 1,                               \
    .doc = "One of `measures.recovery.levels`. Default: the highest."                                                  \
  }
#define OF(fallback_)                                                                                                  \
  {                                                                                                                    \
    .name = "of", .kind = SIM_TEXT, .fallback = fallback_,                                                             \
    .doc = "A variable of the results that is one number a run."                                                       \
  }
static const struct sim_param lost_days_params[] = {
    WIDTH("day/year", "Widest 95 % interval of the mean wanted."), FLOOR, {.name = NULL}};
static const struct sim_param mean_params[] = {WIDTH(NULL, "Widest 95 % interval wanted, in the variable's own unit."),
                                               OF("lost_days_per_year"),
                                               FLOOR,
                                               {.name = NULL}};
static const struct sim_param rmst_params[] = {
    WIDTH("day", "Widest 95 % interval of the mean wanted."),
    LEVEL,
    {.name = "window",
     .kind = SIM_QUANTITY,
     .flags = SIM_NO_RANGE | SIM_OPEN_MIN,
     .unit = "day",
     .doc = "Days of recovery that the mean is restricted to. Default: the longest in which every arm of the point has "
            "runs under observation."},
    {.name = "runs",
     .kind = SIM_CHOICE,
     .choices = "all degraded",
     .fallback = "all",
     .doc = "Whether runs that never degraded count, as recovered in no time."},
    FLOOR,
    {.name = NULL}};
static const struct sim_param quantile_params[] = {WIDTH("day", "Widest 95 % interval of the quantile wanted."),
                                                   {.name = "share",
                                                    .kind = SIM_QUANTITY,
                                                    .flags = SIM_NO_RANGE | SIM_OPEN_MIN,
                                                    .unit = "1",
                                                    .fallback = "50 %",
                                                    .max = 0.999,
                                                    .doc = "Share of degraded runs that have recovered by then."},
                                                   LEVEL,
                                                   FLOOR,
                                                   {.name = NULL}};
#undef WIDTH
#undef FLOOR
#undef LEVEL
#undef OF
static const struct sim_call precisions[] = {
    {"none", no_params, "Every point has `replicates`."},
    {"lost_days", lost_days_params, "Mean of `lost_days_per_year`."},
    {"mean", mean_params, "Mean of a variable."},
    {"difference", mean_params,
     "Mean difference of a variable from the reference arm, replicate by replicate, which share their draws."},
    {"rmst", rmst_params, "Restricted mean time to recover (Royston & Parmar 2013)."},
    {"quantile", quantile_params, "Quantile of the time to recover, of degraded runs (Brookmeyer & Crowley 1982)."},
    {NULL, NULL, NULL}};

static const struct sim_param fit_params[] = {
    {.name = "to", .kind = SIM_REF, .flags = SIM_REQUIRED, .refers = "observed", .doc = "The observed table to meet."},
    {.name = "vary",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED | SIM_LIST,
     .refers = "parameter",
     .doc = "Paths of the parameters to fit, within their ranges."},
    {.name = NULL}};

static const struct sim_param design_params[] = {
    {.name = "replicates",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER | SIM_NO_RANGE,
     .fallback = "100",
     .min = 1,
     .max = 1e9,
     .doc = "Runs of each arm at each point; replicate k of all arms shares its random draws. With `precision` at most "
            "so many."},
    {.name = "precision",
     .kind = SIM_CALL,
     .calls = precisions,
     .doc = "Replicates until the interval of every arm of a point is as narrow as asked, or `replicates` are made. "
            "Default: `replicates` everywhere."},
    {.name = "seed",
     .kind = SIM_QUANTITY,
     .flags = SIM_INTEGER | SIM_NO_RANGE,
     .fallback = "1",
     .min = 0,
     .max = 9007199254740992.0,
     .doc = "Seed of the batch; every draw is a function of it and of the draw's name."},
    {.name = "reference",
     .kind = SIM_REF,
     .refers = "arm",
     .doc = "The arm that the others are compared with. Default: the first by name."},
    {.name = "draws",
     .kind = SIM_CHOICE,
     .choices = "shared fresh",
     .fallback = "shared",
     .doc = "Whether the points of a design share their random draws; arms always do."},
    {.name = "vary",
     .kind = SIM_REF,
     .flags = SIM_LIST,
     .refers = "parameter",
     .fallback = "all",
     .doc = "Which parameters the design varies: `all` that have a range, a list of paths, or {path: range}."},
    {.name = "sample", .kind = SIM_CALL, .calls = samplers, .fallback = "none", .doc = "How the ranges are sampled."},
    {.name = "constraints",
     .kind = SIM_TEXT,
     .flags = SIM_LIST,
     .doc = "Relations between two paths, `teams.a.size <= teams.b.size`; points that break one are dropped."},
    {.name = "of", .kind = SIM_TEXT, .doc = "The measure whose sensitivity is asked for."},
    {.name = "fit", .kind = SIM_FIELDS, .fields = fit_params, .doc = "Which parameters to fit to which observations."},
    {.name = NULL}};

/* ---- observed, sources, arms ------------------------------------------------------------------------------------ */

static const struct sim_param observed_params[] = {
    {.name = "of",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "observable",
     .doc = "The observable that was measured: `power.unserved`."},
    {.name = "table",
     .kind = SIM_TEXT,
     .doc = "A header of two names, the first a unit of time, then a time and a value a line."},
    {.name = "file", .kind = SIM_FILE, .doc = "The same as a CSV file."},
    {.name = NULL}};
static const struct sim_param observed_entry[] = {
    {.name = "observation", .kind = SIM_FIELDS, .fields = observed_params, .doc = "A measured series."},
    {.name = NULL}};
static const struct sim_param source_entry[] = {
    {.name = "source", .kind = SIM_TEXT, .doc = "What the key `@name` cites: author, year, title."}, {.name = NULL}};

const struct sim_param sc_patch_param = {
    .name = "arm", .kind = SIM_FIELDS, .doc = "A patch of this scenario; `like` starts from another arm."};

static const struct sim_param root_params[] = {
    {.name = "airesim",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_INTEGER | SIM_NO_RANGE,
     .min = SIM_LANGUAGE_VERSION,
     .max = SIM_LANGUAGE_VERSION + 1e-9,
     .doc = "Version of the scenario language."},
    {.name = "question", .kind = SIM_TEXT, .doc = "The question that the scenario is to answer."},
    {.name = "start",
     .kind = SIM_TEXT,
     .doc = "Calendar date, or date and time, of day 0; needed where moments are dates."},
    {.name = "horizon",
     .kind = SIM_QUANTITY,
     .flags = SIM_REQUIRED | SIM_NO_RANGE | SIM_OPEN_MIN,
     .unit = "day",
     .min = 0,
     .max = 365250,
     .doc = "How long each run lasts."},
    {.name = "currency", .kind = SIM_TEXT, .fallback = "USD", .doc = "The one currency of all amounts of money."},
    {.name = "society", .kind = SIM_FIELDS, .fields = sim_society_params, .doc = "People, groups and layers."},
    {.name = "incidents", .kind = SIM_NAMES, .fields = incident_entry, .doc = "What goes wrong, and when."},
    {.name = "safeguards",
     .kind = SIM_MODEL,
     .section = "safeguards",
     .doc = "Barriers that incidents must pass; absent: nothing is stopped."},
    {.name = "hazards", .kind = SIM_NAMES, .fields = hazard_entry, .doc = "What spreads."},
    {.name = "couplings",
     .kind = SIM_NAMES,
     .fields = coupling_entry,
     .doc = "While an entity is in a state, a knob of another entry is multiplied."},
    {.name = "capability",
     .kind = SIM_MODEL,
     .section = "capability",
     .doc = "Milestones of what AI can do, for those who attack and those who respond; absent: nothing changes."},
    {.name = "sensing", .kind = SIM_NAMES, .fields = sensor_entry, .doc = "Who sees what, how late; alarms."},
    {.name = "teams", .kind = SIM_NAMES, .fields = team_entry, .doc = "Finite capacity that serves."},
    {.name = "actions", .kind = SIM_NAMES, .fields = action_entry, .doc = "What responders do."},
    {.name = "repair", .kind = SIM_NAMES, .fields = repair_entry, .doc = "How what is down is restored."},
    {.name = "budget", .kind = SIM_FIELDS, .fields = sc_budget_params, .doc = "What is spent, and what it buys."},
    {.name = "measures", .kind = SIM_FIELDS, .fields = sim_measures_params, .doc = "What is measured, and how."},
    {.name = "arms", .kind = SIM_NAMES, .fields = &sc_patch_param, .doc = "Alternatives that are compared."},
    {.name = "design", .kind = SIM_FIELDS, .fields = design_params, .doc = "Replicates, seed and sampled ranges."},
    {.name = "observed", .kind = SIM_NAMES, .fields = observed_entry, .doc = "Observations to compare with or fit to."},
    {.name = "sources", .kind = SIM_NAMES, .fields = source_entry, .doc = "What the source keys cite."},
    {.name = NULL}};

const struct sim_param sc_root = {.name = "scenario", .kind = SIM_FIELDS, .fields = root_params, .doc = "A scenario."};
