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

letter_office::keeping letter_office::keep(const store::dead_letter& letter) {
  const auto& head = letter.head;
  auto kept = letters_->keep(letter);
  show();
  if (kept) {
    counts_->deadletter_lines_total.add_for("kept");
    log_->write(log_event::deadletter_kept,
                {{"letter", head.id}, {"agent", to_text(head.agent)}, {"reason", head.reason}});
    return keeping::kept;
  }
  bool lost = kept.error().code == errc::store_full;
  counts_->deadletter_lines_total.add_for(lost ? "lost" : "waits");
  log_->write(lost ? log_event::deadletter_lost : log_event::deadletter_waits,
              {{"letter", head.id}, {"agent", to_text(head.agent)}, {"why", to_string(kept.error())}});
  return lost ? keeping::lost : keeping::later;
}

bool letter_office::seen(std::string_view text) {
  bool known = letters_->seen(text);
  if (known) counts_->deadletter_lines_total.add_for("again");
  return known;
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
