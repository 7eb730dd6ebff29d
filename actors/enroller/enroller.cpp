#include "actors/enroller/enroller.hpp"

#include "base/time.hpp"
#include "protocol/enrollment/answers.hpp"

namespace picket {

protocol::agent_evidence evidence_of(const agent_status_table& statuses, agent_id id,
                                     std::uint64_t registration) {
  protocol::agent_evidence fact;
  fact.agent = id;
  fact.registration = registration;
  auto status = statuses.get(id);
  if (!status || status->registration != registration) return fact; // registered and never seen since
  fact.state = status->connection.state;
  fact.since_ms = status->connection.disconnection_ms;
  return fact;
}

void enroller_state::enroll(const exchange_ptr& exchange) {
  auto add = read_enrollment(exchange->line, exchange->source, setup.policy, setup.draw_key);
  if (!add) return refuse(exchange, add.error().text, add.error().reason);
  propose(exchange, std::move(*add), evidence_tries);
}

void enroller_state::propose(const exchange_ptr& exchange, protocol::agent_add add, int tries_left) {
  add.evidence.clear();
  if (auto view = setup.tables->read()) {
    for (auto id : agents_in_the_way(*view, add))
      if (auto row = view->agent(id))
        add.evidence.push_back(evidence_of(*setup.statuses, id, row->registration));
  }
  auto proposal = std::make_shared<registry::proposal>();
  proposal->command.request = setup.next_request();
  proposal->command.actor = "enrollment";
  proposal->command.from = add.source;
  proposal->command.made_ms = wall_clock_ms();
  proposal->command.arguments = add;
  proposal->deadline_ms = steady_clock_ms() + enrollment_limit_ms;
  self->request(setup.registry, std::chrono::milliseconds{enrollment_limit_ms}, propose_atom_v,
                registry::proposal_ptr{proposal})
      .then([this, exchange, add, tries_left](
                const registry::propose_answer& answer) { settle(exchange, add, tries_left, answer); },
            [this, exchange, add](const caf::error&) {
              setup.counts->enrollment_requests_total.add_for("unavailable");
              exchange->answer(
                  protocol::format_enrollment_refusal(protocol::refusal::internal_error(add.name)));
            });
}

void enroller_state::settle(const exchange_ptr& exchange, protocol::agent_add add, int tries_left,
                            const registry::propose_answer& answer) {
  using registry::proposed;
  if (answer.how == proposed::refused) {
    if (answer.result.code == static_cast<std::uint16_t>(errc::stale_evidence)) {
      if (tries_left > 1) return propose(exchange, std::move(add), tries_left - 1);
      return refuse(exchange, protocol::refusal::internal_error(add.name),
                    "state of the older agent changes");
    }
    return refuse(exchange, answer.result.text, answer.result.text);
  }
  auto view = setup.tables->read();
  auto row = answer.how == proposed::ok && view ? view->agent(answer.result.agent) : std::nullopt;
  if (!row) {
    setup.counts->enrollment_requests_total.add_for("unavailable");
    return exchange->answer(protocol::format_enrollment_refusal(protocol::refusal::internal_error(add.name)));
  }
  setup.counts->enrollment_requests_total.add_for("accepted");
  setup.log->write(log_event::enrollment_accepted,
                   {{"agent", to_text(answer.result.agent)}, {"name", row->name}, {"source", row->source}});
  exchange->answer(
      protocol::format_enrollment_answer({to_text(answer.result.agent), row->name, row->address, row->key}));
}

void enroller_state::refuse(const exchange_ptr& exchange, const std::string& text,
                            const std::string& reason) {
  setup.counts->enrollment_requests_total.add_for("refused");
  setup.log->write(log_event::enrollment_refused,
                   {{"reason", reason}, {"source", net::to_string(exchange->source)}});
  exchange->answer(protocol::format_enrollment_refusal(text));
}

enroller_actor::behavior_type enroller(enroller_actor::stateful_pointer<enroller_state> self,
                                       enroller_setup setup) {
  self->state.self = self;
  self->state.setup = std::move(setup);
  return {
      [self](enroll_atom, const exchange_ptr& exchange) { self->state.enroll(exchange); },
  };
}

} // namespace picket
