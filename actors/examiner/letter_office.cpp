#include "actors/examiner/letter_office.hpp"

namespace picket {

letter_office::letter_office(std::shared_ptr<store::deadletter_store> letters,
                             std::shared_ptr<record_return> back, std::shared_ptr<const metrics> counts,
                             std::shared_ptr<event_log> log)
    : letters_{std::move(letters)}
    , back_{std::move(back)}
    , counts_{std::move(counts)}
    , log_{std::move(log)} {
  show();
}

bool letter_office::keep(const store::dead_letter& letter) {
  const auto& head = letter.head;
  auto kept = letters_->keep(letter);
  counts_->deadletter_lines_total.add_for(kept ? "kept" : "lost");
  if (kept)
    log_->write(log_event::deadletter_kept,
                {{"letter", head.id}, {"agent", to_text(head.agent)}, {"reason", head.reason}});
  else
    log_->write(log_event::deadletter_lost,
                {{"letter", head.id}, {"agent", to_text(head.agent)}, {"why", to_string(kept.error())}});
  show();
  return kept.has_value();
}

result<void> letter_office::retry(const std::string& id) {
  std::lock_guard lock{mutex_};
  auto letter = letters_->read(id);
  if (!letter) return tl::unexpected<error>(letter.error());
  auto kind = letter->form == store::letter_form::sealed ? record_kind::sealed : record_kind::again;
  if (!back_ || !back_->take_again(letter->head.agent, kind, letter->bytes))
    return fail(errc::limit_reached, "there is no room for it in the pool now", id,
                "Try again when the node is less busy.");
  if (auto gone = letters_->drop(id); !gone) return gone;
  counts_->deadletter_lines_total.add_for("retried");
  log_->write(log_event::deadletter_retried, {{"letter", id}, {"agent", to_text(letter->head.agent)}});
  show();
  return {};
}

result<void> letter_office::drop(const std::string& id) {
  std::lock_guard lock{mutex_};
  if (auto gone = letters_->drop(id); !gone) return gone;
  counts_->deadletter_lines_total.add_for("dropped");
  show();
  return {};
}

void letter_office::show() const { counts_->deadletter_letters.set(static_cast<double>(letters_->size())); }

} // namespace picket
