#include "engine/event/predecode.hpp"

#include "engine/event/source.hpp"
#include "engine/text/fold.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

constexpr bool is_name_byte(char c) noexcept {
  return c == '(' || c == ')' || (c >= '-' && c <= '9') || (c >= '@' && c <= 'Z') || c == '_' || is_lower(c);
}

/// The steps of decoders.md 3.2-3.5 over one text. The reference works on a copy into which it writes
/// terminators; here `terminator_` remembers where one would stand in front of the log, and views are cut
/// instead.
class steps {
public:
  explicit steps(event& ev)
      : ev_(ev)
      , t_(ev.full_log) {
    // German "Mär" in UTF-8: the position tests see a text one byte shorter, everything else the original.
    umlaut_ = t_.size() > 2 && t_[1] == '\xC3' && t_[2] == '\xA4';
  }

  void run() {
    if (auto cut = header_cut(); cut != 0) {
      ev_.timestamp = t_.substr(0, cut - 1);
      syslog_header(cut);
      return;
    }
    if (xferlog() || snort() || suricata() || apache() || macos_asl() || squid()) return;
    ev_.log = t_;
    ev_.byte_before_log = '\0';
  }

private:
  // Position tests (3.2).
  char tested(std::size_t i) const {
    if (!umlaut_) return at(i);
    if (i < 2) return i == 0 ? 'M' : 'a';
    return at(i + 1);
  }
  char at(std::size_t i) const { return i < t_.size() ? t_[i] : '\0'; }
  bool longer(std::size_t least) const { return t_.size() >= least; }
  template <class... Positions>
  bool all(char c, Positions... positions) const {
    return ((tested(static_cast<std::size_t>(positions)) == c) && ...);
  }

  /// 3.3: where the syslog header starts; 0 if no form fits.
  std::size_t header_cut() const {
    if (longer(17) && all(' ', 3, 6, 15) && all(':', 9, 12)) return 16;                              // D1
    if (longer(24) && all('-', 4, 7) && all(' ', 10) && all(':', 13, 16) && all(',', 19)) return 24; // D2
    if (longer(33) && all('-', 4, 7) && all('T', 10) && all(':', 13, 16)) {                          // D3
      if (all(':', 22) && all(' ', 25)) return 26;
      if (all('.', 19)) return all(':', 26) ? 30 : all(':', 29) ? 33 : 32;
    }
    if (longer(21) && is_digit(tested(0)) && all(' ', 4, 8, 11, 20) && all(':', 14, 17)) return 21; // D4
    if (longer(33) && is_digit(tested(0)) && all('-', 4, 7) && all(' ', 10, 31) && all(':', 13, 16) // D5
        && all('.', 19) && (all('-', 26) || all('+', 26)))
      return 32;
    return 0;
  }

  /// The longest run of name bytes.
  std::string_view name_run(std::size_t from) const {
    auto end = from;
    while (end < t_.size() && is_name_byte(t_[end]))
      ++end;
    return t_.substr(from, end - from);
  }

  /// The log starts at `start`; a terminator in front of it hides the byte that stands there.
  void log_from(std::size_t start, bool terminator_in_front) {
    ev_.log = t_.substr(std::min(start, t_.size()));
    ev_.byte_before_log = terminator_in_front || start == 0 ? '\0' : at(start - 1);
  }

  /// 3.4.
  void syslog_header(std::size_t cut) {
    bool blank = at(cut) == ' ';
    if (blank) ++cut;
    if (cut > t_.size()) cut = t_.size();
    auto run = name_run(cut);
    auto behind = cut + run.size();
    if (at(behind) == ':' && at(behind + 1) == ' ') { // 1: Solaris, no host name
      ev_.program_name = run;
      log_from(behind + 2, false);
      skip_message_id();
      return;
    }
    if (at(behind) != ' ') { // 2
      log_from(cut, !blank);
      return;
    }
    ev_.hostname_in_log = run; // 3
    if (program(behind + 1)) skip_message_id();
  }

  /// 3.4 step 3 behind the host name. True: a program name form set the start of the log.
  bool program(std::size_t start) {
    auto name = name_run(start);
    auto behind = start + name.size();
    log_from(start, true);
    if (at(behind) == ':') {
      ev_.program_name = name;
      bool blank = at(behind + 1) == ' ';
      log_from(behind + (blank ? 2 : 1), !blank);
      return true;
    }
    if (at(behind) == '[') {
      auto close = digits_end(behind + 1);
      if (close == behind + 1 || at(close) != ']') return false;
      if (at(close + 1) != ':' && at(close + 1) != ' ') return false;
      ev_.program_name = name;
      auto log = close + 2;
      if (at(close + 1) == ':' && at(log) == ' ') ++log;
      log_from(log, false);
      return true;
    }
    if (at(behind) == '|' && is_lower(at(behind + 1))) return aix_program(start, behind + 2);
    return false;
  }

  std::size_t digits_end(std::size_t from) const {
    while (is_digit(at(from)))
      ++from;
    return from;
  }
  std::size_t letters_and_digits_end(std::size_t from) const {
    while (is_digit(at(from)) || is_letter(at(from)))
      ++from;
    return from;
  }

  /// 3.4 step 4. `start`: of the text behind the host name; `from`: behind the first letter of the facility.
  bool aix_program(std::size_t start, std::size_t from) {
    from = letters_and_digits_end(from);
    if (at(from) != ':') return false;
    from = letters_and_digits_end(from + 1);
    if (at(from) != ' ') return false;
    auto name = name_run(from + 1);
    auto behind = from + 1 + name.size();
    if (at(behind) == ':' && at(behind + 1) == ' ') {
      ev_.program_name = name;
      log_from(behind + 2, false);
      return true;
    }
    if (at(behind) == '[' && is_digit(at(behind + 1))) {
      ev_.program_name = name;
      auto close = digits_end(behind + 1);
      if (at(close) == ']' && at(close + 1) == ':' && at(close + 2) == ' ') {
        log_from(close + 3, false);
        return true;
      }
      ev_.log = t_.substr(start, behind - start); // ended at the bracket
      return false;
    }
    ev_.program_name = t_.substr(from + 1);
    log_from(behind, false);
    return true;
  }

  /// 3.4 step 5.
  void skip_message_id() {
    if (ev_.log.substr(0, 4) != "[ID ") return;
    auto close = ev_.log.find(']');
    if (close == std::string_view::npos) return;
    log_from(static_cast<std::size_t>(ev_.log.data() - t_.data()) + close + 2, false);
  }

  // 3.5.
  bool xferlog() {
    if (!longer(28) || !all(' ', 3, 7, 10, 19, 24, 26) || !all(':', 13, 16)) return false;
    ev_.timestamp = t_.substr(0, 24);
    log_from(25, true);
    return true;
  }
  bool snort() {
    if (!longer(24) || !all('/', 2) || !all('-', 5) || !all(':', 8, 11) || !all('.', 14) || !all(' ', 21))
      return false;
    ev_.timestamp = t_.substr(0, 21);
    log_from(23, false);
    return true;
  }
  bool suricata() {
    if (!longer(28) || !all('/', 2, 5) || !all('-', 10) || !all(':', 13, 16) || !all('.', 19)
        || !all(' ', 26))
      return false;
    ev_.timestamp = t_.substr(0, 26);
    log_from(28, false);
    return true;
  }
  bool apache() {
    if (!longer(27) || !all('[', 0) || !all(' ', 4, 8, 11, 20) || !all(':', 14, 17) || !all(']', 25))
      return false;
    ev_.timestamp = t_.substr(1, 24);
    log_from(27, false);
    return true;
  }

  bool macos_asl() {
    if (!longer(26) || !all('[', 0) || !all('T', 1) || !all(' ', 5, 16) || !all('.', 10, 13) || !all(':', 19))
      return false;
    log_from(25, false);
    bool has_message = false;
    std::size_t from = 25;
    while (true) {
      auto open = t_.find('[', from);
      if (open == std::string_view::npos) return true;
      from = open + 1;
      bool sender = starts("Sender ", from) && !ev_.program_name;
      bool message = starts("Message ", from) && !has_message;
      bool host = starts("Host ", from);
      if (!sender && !message && !host) continue;
      auto value = from + (sender ? 7 : message ? 8 : 5);
      auto close = t_.find(']', value);
      if (message) {
        has_message = true;
        log_from(value, false);
      }
      if (close == std::string_view::npos) return true;
      auto text = t_.substr(value, close - value);
      if (sender) ev_.program_name = text;
      if (host) ev_.hostname_in_log = text;
      if (message) ev_.log = text;
      // Without a message the log runs from byte 25 to the first terminator.
      if (!has_message) ev_.log = ev_.log.substr(0, std::min(ev_.log.size(), close - 25));
      if (host) return true;
      from = close + 1;
    }
  }
  bool starts(std::string_view word, std::size_t from) const { return t_.substr(from, word.size()) == word; }

  bool squid() {
    if (!longer(32) || tested(0) != '1' || !is_digit(tested(1)) || !is_digit(tested(2))
        || !is_digit(tested(3)) || !is_digit(tested(13)) || tested(10) != '.' || tested(14) != ' '
        || (tested(21) != ' ' && tested(22) != ' '))
      return false;
    std::size_t log = 14;
    while (at(log) == ' ')
      ++log;
    ev_.timestamp = t_.substr(0, log - 1);
    log_from(log, true);
    return true;
  }

  event& ev_;
  std::string_view t_;
  bool umlaut_ = false;
};

} // namespace

void predecode(event& ev) {
  steps(ev).run();
  if (ev.source && ev.source->from_agent) {
    ev.hostname = ev.source->agent_name;
  } else if (ev.hostname_in_log) {
    ev.hostname = *ev.hostname_in_log;
  } else {
    ev.hostname = ev.source ? short_name(ev.source->manager_name) : std::string_view();
  }
}

std::optional<std::string_view> alert_hostname(std::string_view full_log) {
  // A letter of the form stands for a class of bytes: A upper case, a lower case, # blank or 0 to 3, 0 digit.
  constexpr std::string_view form = "Aaa #0 00:00:00 ";
  if (full_log.size() <= form.size()) return std::nullopt;
  for (std::size_t i = 0; i < form.size(); ++i) {
    char c = full_log[i];
    bool fits = c == form[i];
    if (form[i] == 'A') fits = c >= 'A' && c <= 'Z';
    if (form[i] == 'a') fits = is_lower(c);
    if (form[i] == '#') fits = c == ' ' || (c >= '0' && c <= '3');
    if (form[i] == '0') fits = is_digit(c);
    if (!fits) return std::nullopt;
  }
  auto host = full_log.substr(form.size());
  host = host.substr(0, host.find(' '));
  if (host.empty()) return std::nullopt;
  return host;
}

} // namespace picket::engine
