#include "engine/match/osregex.hpp"

#include "engine/text/fold.hpp"

#include <algorithm>

namespace picket::engine {

namespace {

constexpr std::int64_t none = INT64_MIN;

} // namespace

/// One alternative on one input. The member functions are the numbered steps of decoders.md 2.3.3, the
/// members its variables, under their names there. Do not "mend" anything here: each oddity is what decoders
/// in the field rely on.
struct osregex::run {
  const unit* U;
  bool begin;
  bool end;
  bool captures;
  const char* t;
  std::int64_t m;
  std::int64_t* pos; ///< by number of the mark
  std::uint64_t& steps;
  bool& gave_up;

  std::size_t p = 0;
  std::int64_t i = 0;
  std::int64_t r = 0;
  bool seen = false;
  std::int64_t a = none;
  struct saved {
    std::size_t p;
    std::int64_t i;
  };
  saved slot[4]{};
  int slots_used = 0; ///< freed from the top and filled from the bottom: a stack

  enum class go { on, again, fail, succeed };

  unsigned char byte() const { return static_cast<unsigned char>(t[i]); }
  bool is(std::size_t u, kind k) const { return U[u].kind == k; }
  bool is_literal(std::size_t u, char c) const { return is(u, kind::literal) && U[u].literal == c; }
  void record(std::size_t u, std::int64_t at) {
    if (captures) pos[U[u].mark] = at;
  }

  /// True: the alternative succeeded with `r`.
  bool search() {
    if (m == 0) return step7();
    while (true) {
      if (p == 0 && !begin && slots_used == 0 && a == none && !skip_hopeless_starts()) return false;
      if (steps == 0) {
        gave_up = true;
        return false;
      }
      --steps;
      go next = step1();
      if (next == go::succeed) return true;
      if (next == go::again) continue; // step 1 with the same i
      if (next == go::fail && !step6()) return false;
      if (++i == m) return step7();
    }
  }

  /// Takes at one blow the steps at which the first unit would be tried and missed, over and over: each of
  /// them only leads through step 6 back to p = 0 with r = none. Not for units that do more than that (marks,
  /// `*`). False: the end is reached, and the alternative fails there in step 7, since r is none.
  bool skip_hopeless_starts() {
    auto start = i;
    if (U[0].kind == kind::literal) {
      while (i < m && fold(t[i]) != U[0].literal)
        ++i;
    } else if (U[0].kind == kind::set && U[0].quantifier != '*' && !seen) {
      while (i < m && !(*U[0].set)[byte()])
        ++i;
    }
    if (i == start) return true;
    r = none;
    constexpr std::uint64_t bytes_per_step = 8; // what one ordinary step costs
    steps -= std::min(steps, static_cast<std::uint64_t>(i - start) / bytes_per_step);
    return i < m;
  }

  go step1() {
    if (is(p, kind::end)) return end ? go::fail : go::succeed;
    if (is(p, kind::mark)) {
      record(p, i);
      ++p;
      if (is(p, kind::end) && !end) return go::succeed;
    }
    if (!is(p, kind::set)) return step5();
    return (*U[p].set)[byte()] ? step3() : step4();
  }

  go step3() {
    if (U[p].quantifier == '\0') {
      ++p;
      if (a == none) a = i;
      r = i;
      return go::on;
    }
    if (U[p].quantifier == '*') seen = true;
    if (!seen) {
      if (is(p + 2, kind::mark)) record(p + 2, i == m - 1 ? i + 1 : i);
      seen = true;
      r = i;
      return go::on;
    }
    return step3_look_ahead();
  }

  /// Step 3.3: may the unit behind the quantified set take over?
  go step3_look_ahead() {
    std::size_t q = p + 2;
    bool has_mark = is(q, kind::mark);
    std::size_t g = q;
    if (has_mark) ++q;
    const unit& x = U[q];
    if (x.kind == kind::end) {
      if (has_mark) record(g, i + 1);
      return go::on; // r stays
    }
    std::size_t after = q + 1;
    if (x.kind == kind::set) {
      if (!(*x.set)[byte()]) {
        r = i;
        return go::on;
      }
      if (x.quantifier != '\0') after = q;
    } else {
      if (x.literal != fold(t[i])) {
        r = i;
        return go::on;
      }
      seen = false;
    }
    if (has_mark) record(g, i);
    if (slots_used < 4) slot[slots_used++] = {p, i};
    p = after;
    r = i;
    return go::on;
  }

  go step4() {
    bool last = is(p + 1, kind::end) || (!is(p + 1, kind::set) && is(p + 2, kind::end));
    if (last && seen && r != none) {
      r = i;
      if (!end) return go::succeed;
      seen = false;
      return go::fail;
    }
    char quantifier = U[p].quantifier;
    if (quantifier == '*' || (quantifier == '+' && seen)) {
      p += 2;
      if (quantifier == '*') r = i - 1;
      seen = false;
      return go::again;
    }
    seen = false;
    return go::fail;
  }

  go step5() {
    if (is(p, kind::end) || U[p].literal != fold(t[i])) return go::fail;
    ++p;
    if (a == none) a = i;
    r = i;
    return go::on;
  }

  /// False: the alternative fails.
  bool step6() {
    if (slots_used > 0) {
      --slots_used;
      p = slot[slots_used].p;
      i = slot[slots_used].i;
      return true;
    }
    if (begin) return false;
    if (a != none) {
      i = a;
      a = none;
    }
    p = 0;
    r = none;
    return true;
  }

  bool skip(bool condition) {
    if (condition) ++p;
    return condition;
  }
  bool at_end_behind_mark() {
    skip(is(p, kind::mark));
    return is(p, kind::end);
  }

  bool step7() {
    if (captures) {
      while (is(p, kind::set) && U[p].quantifier == '*')
        p += 2;
      if (is(p, kind::mark)) record(p, m);
    }
    if (r == none) return false;
    if (at_end_behind_mark()) return true;                                                  // (A)
    if (skip(is(p, kind::set) && seen) && skip(is_literal(p, '+') || is_literal(p, '*'))) { // (B)
      if (at_end_behind_mark()) return true;
      if (skip(is(p, kind::set)) && skip(is_literal(p, '*')) && at_end_behind_mark()) return true;
    }
    return skip(is(p, kind::set)) && skip(is_literal(p, '*')) && at_end_behind_mark(); // (C)
  }
};

match_result osregex::search(std::string_view input, std::vector<std::string_view>& captures,
                             std::vector<std::int64_t>& marks, std::uint64_t& steps, bool& gave_up) const {
  for (const auto& each : alternatives_) {
    if (captures_) marks.assign(each.marks, -1);
    run one{each.units.data(), each.begin,   each.end,
            captures_,         input.data(), static_cast<std::int64_t>(input.size()),
            marks.data(),      steps,        gave_up};
    if (!one.search()) {
      if (gave_up) return {};
      continue;
    }
    if (captures_) {
      for (std::uint32_t k = 0; k + 1 < each.marks; k += 2) {
        if (marks[k] < 0 || marks[k + 1] < 0) break;
        if (marks[k + 1] < marks[k]) {
          captures.clear();
          return {}; // 2.3.4: marks out of order are no match
        }
        captures.push_back(input.substr(static_cast<std::size_t>(marks[k]),
                                        static_cast<std::size_t>(marks[k + 1] - marks[k])));
      }
    }
    return {true, one.r == none ? 0 : one.r};
  }
  return {};
}

} // namespace picket::engine
