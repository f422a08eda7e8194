/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sensors: surveillance that sees some of the entities that enter a state, late, with false reports among them, and
 * raises and clears an alarm by counting reports. Everything that responds sees reports, not the truth. */
#include "models/response/action.h"
#include "sim/core/model.h"

static const struct sim_param params[] = {
    {.name = "watches",
     .kind = SIM_REF,
     .flags = SIM_REQUIRED,
     .refers = "state",
     .doc = "The state whose entrants are seen, such as outbreak.ill."},
    {.name = "ascertainment",
     .kind = SIM_QUANTITY,
     .flags = SIM_BY_GROUP,
     .unit = "1",
     .fallback = "100 %",
     .max = 1,
     .doc = "Share of the entrants that is ever reported."},
    {.name = "report_delay",
     .kind = SIM_LAW_CALL,
     .unit = "day",
     .fallback = "0 days",
     .doc = "Time from entering the state to the report."},
    {.name = "false_reports",
     .kind = SIM_QUANTITY,
     .unit = "1/day",
     .fallback = "0/day",
     .doc = "Rate of reports of entities drawn at random, whatever their state (a Poisson process)."},
    {.name = "alarm",
     .kind = SIM_RULE,
     .unit = "report",
     .doc = "At least this many reports within the window raise the alarm; without it none is raised."},
    {.name = "clear",
     .kind = SIM_RULE,
     .unit = "report",
     .doc = "The alarm is cleared when at most this many reports lie within the window, at the earliest a window after "
            "the alarm; without it an alarm stands for good."},
    {0}};

enum { KNOB_ASCERTAINMENT, KNOB_DETECTION, KNOB_DELAY };
static const struct sim_knob knobs[] = {
    {"ascertainment", SIM_SCOPE_ENTITY, 0, 1000, "Multiplies the ascertainment of an entity"},
    {"detection", SIM_SCOPE_WHOLE, 0, 1000, "Multiplies the ascertainment of every entity"},
    {"delay", SIM_SCOPE_ENTITY, 0, 1000, "Multiplies the delay of the reports on those who enter the state meanwhile"},
    {0}};
enum { SIGNAL_ALARM, SIGNAL_CLEAR };
static const struct sim_signal_desc signals[] = {
    {"alarm", "Reports have reached the alarm rule"}, {"clear", "Reports have fallen to the clear rule"}, {0}};
enum { EV_REPORT, EV_FALSE, EV_CLEAR };
static const struct sim_event_desc events[] = {
    {"report", SIM_PHASE_SENSE}, {"false_report", SIM_PHASE_SENSE}, {"clear", SIM_PHASE_SENSE}, {0}};
enum { OUT_REPORTS, OUT_FALSE, OUT_FIRST_REPORT, OUT_FIRST_ALARM };
static const struct sim_output_desc outputs[] = {{"reports", "report", "Reports, false ones included", true},
                                                 {"false_reports", "report", "False reports", true},
                                                 {"first_report", "day", "When the first report came", false},
                                                 {"first_alarm", "day", "When the alarm was first raised", false},
                                                 {0}};

struct rule {
  uint32_t count; /* reports */
  int64_t window; /* ticks */
  bool given;
};
struct plan {
  uint32_t machine, population, observable;
  uint8_t watched;
  struct action_share ascertainment;
  struct sim_law delay;
  double false_rate; /* 1/day */
  struct rule alarm, clear;
  uint32_t draw_seen, draw_delay, draw_false, draw_whom;
};
struct state {
  int64_t *recent; /* [kept] ticks of the latest reports, circular */
  uint32_t kept;
  uint64_t reports, false_reports;
  int64_t first_report, first_alarm, alarmed; /* ticks; alarmed: the alarm that stands */
  bool standing, ever;
  sim_handle clear;
};

static int declare(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  p->observable = sim_builder_observable(b, self, "reports", "report", "Reports so far");
  action_declare_population(b, self, sim_value_text(self->params, "watches"));
  return 0;
}

static int rule_init(struct sim_builder *b, const struct sim_value *v, double least, struct rule *rule) {
  if (v->form != SIM_COUNTING) return 0;
  if (!(v->number >= least && v->number <= 1e6))
    return sim_diag_add(sim_builder_diag(b), &v->mark, v->path, "expected %g to 1000000 reports", least);
  *rule = (struct rule){(uint32_t)v->number, sim_ticks(v->low), true};
  return 0;
}

static int plan(struct sim_builder *b, struct sim_instance *self, void *plan) {
  struct plan *p = plan;
  const struct sim_value *watches = sim_value_get(self->params, "watches");
  int ret = sim_builder_state(b, watches, watches->text, &p->machine, &p->watched);
  if (ret) return ret;
  p->population = self->population = sim_builder_machine_population(b, p->machine);
  sim_builder_watch(b, self, p->machine, p->watched);
  ret = action_share_init(b, sim_value_get(self->params, "ascertainment"), p->population, &p->ascertainment);
  if (!ret) ret = action_law(b, self, "report_delay", &p->delay);
  p->false_rate = sim_value_number(self->params, "false_reports");
  if (!ret) ret = rule_init(b, sim_value_get(self->params, "alarm"), 1, &p->alarm);
  if (!ret) ret = rule_init(b, sim_value_get(self->params, "clear"), 0, &p->clear);
  p->draw_seen = sim_builder_purpose(b, self, "ascertainment");
  p->draw_delay = sim_builder_purpose(b, self, "report_delay");
  p->draw_false = sim_builder_purpose(b, self, "false_reports");
  p->draw_whom = sim_builder_purpose(b, self, "false_reports.whom");
  return ret;
}

static void plan_free(void *plan) {
  struct plan *p = plan;
  sim_law_free(&p->delay);
  sim_free(p->ascertainment.group);
}

static int open(struct sim_run *run, const struct sim_instance *self, void *state) {
  (void)run;
  struct state *s = state;
  const struct plan *p = self->plan;
  s->kept = p->alarm.count > p->clear.count + 1 ? p->alarm.count : p->clear.count + 1;
  s->recent = sim_calloc(s->kept, sizeof *s->recent);
  return s->recent ? 0 : SIM_ERR_MEMORY;
}

static void close(void *state) {
  sim_free(((struct state *)state)->recent);
}

/* False report k comes a keyed exponential time after false report k - 1. */
static void schedule_false(struct sim_run *run, const struct sim_instance *self, const struct plan *p, uint32_t k) {
  if (p->false_rate <= 0) return;
  double gap = sim_rng_exponential(sim_run_rng(run), p->draw_false, 0, 0, k) / p->false_rate;
  sim_schedule(run, self, EV_FALSE, 0, k, sim_ticks_add(sim_now(run), sim_ticks(gap)), NULL);
}

static void begin(struct sim_run *run, const struct sim_instance *self, void *state) {
  (void)state;
  schedule_false(run, self, self->plan, 0);
}

static void changed(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_change *c) {
  (void)state;
  const struct plan *p = self->plan;
  if (c->to != p->watched) return;
  uint32_t life = sim_incarnation(run, p->machine, c->entity);
  double share = action_share_of(&p->ascertainment, sim_run_population(run, p->population), c->entity) *
                 sim_factor(run, self, KNOB_ASCERTAINMENT, c->entity) * sim_factor(run, self, KNOB_DETECTION, 0);
  if (sim_rng_uniform(sim_run_rng(run), p->draw_seen, c->entity, life, 0) >= share) return;
  int64_t delay = action_scale(action_draw(run, &p->delay, p->draw_delay, c->entity, life, 0),
                               sim_factor(run, self, KNOB_DELAY, c->entity));
  sim_schedule(run, self, EV_REPORT, c->entity, life, sim_ticks_add(sim_now(run), delay), NULL);
}

/* The tick of the k-th latest report (k from 1), or -1 if there were not so many. */
static int64_t latest(const struct state *s, uint64_t k) {
  return s->reports < k ? -1 : s->recent[(s->reports - k) % s->kept];
}

/* Windows are open on the left: a report counts at t if it came after t - window. */
static void schedule_clear(struct sim_run *run, const struct sim_instance *self, struct state *s) {
  const struct rule *r = &((const struct plan *)self->plan)->clear;
  if (!s->standing || !r->given) return;
  int64_t from = latest(s, (uint64_t)r->count + 1);
  if (from < s->alarmed) from = s->alarmed;
  sim_schedule(run, self, EV_CLEAR, SIM_NONE, 0, sim_ticks_add(from, r->window), &s->clear);
}

static void report(struct sim_run *run, const struct sim_instance *self, struct state *s, uint32_t entity) {
  const struct plan *p = self->plan;
  int64_t now = sim_now(run);
  s->recent[s->reports % s->kept] = now;
  if (s->reports++ == 0) s->first_report = now;
  sim_observe(run, p->observable, (int64_t)s->reports);
  sim_report(run, self, entity);
  if (!s->standing && p->alarm.given) {
    int64_t nth = latest(s, p->alarm.count);
    if (nth >= 0 && nth > now - p->alarm.window) {
      if (!s->ever) s->first_alarm = now;
      s->ever = s->standing = true;
      s->alarmed = now;
      sim_signal(run, self, SIGNAL_ALARM);
    }
  }
  schedule_clear(run, self, s);
}

static void event(struct sim_run *run, const struct sim_instance *self, void *state, const struct sim_event *ev) {
  struct state *s = state;
  const struct plan *p = self->plan;
  switch (ev->kind) {
  case EV_REPORT:
    report(run, self, s, ev->entity);
    break;
  case EV_FALSE:
    s->false_reports++;
    report(run, self, s,
           sim_rng_below(sim_run_rng(run), p->draw_whom, 0, 0, ev->n, sim_run_population(run, p->population)->size));
    schedule_false(run, self, p, ev->n + 1);
    break;
  case EV_CLEAR:
    s->standing = false;
    sim_signal(run, self, SIGNAL_CLEAR);
    break;
  default:
    break;
  }
}

static void end(struct sim_run *run, const struct sim_instance *self, void *state) {
  struct state *s = state;
  sim_output(run, self, OUT_REPORTS, (double)s->reports);
  sim_output(run, self, OUT_FALSE, (double)s->false_reports);
  if (s->reports) sim_output(run, self, OUT_FIRST_REPORT, sim_days(s->first_report));
  if (s->ever) sim_output(run, self, OUT_FIRST_ALARM, sim_days(s->first_alarm));
  s->reports = s->false_reports = 0;
  s->standing = s->ever = false;
}

const struct sim_model sim_model_sensor = {
    .name = "sensor",
    .section = "sensing",
    .doc =
        "Surveillance with incomplete, delayed and false reports, and an alarm that counts them (Buehler et al. 2004, "
        "framework for evaluating surveillance systems for early detection).",
    .params = params,
    .knobs = knobs,
    .signals = signals,
    .events = events,
    .outputs = outputs,
    .plan_size = sizeof(struct plan),
    .state_size = sizeof(struct state),
    .declare = declare,
    .plan = plan,
    .plan_free = plan_free,
    .open = open,
    .close = close,
    .begin = begin,
    .changed = changed,
    .event = event,
    .end = end};
