#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/membership/node_state.hpp"
#include "protocol/peer/messages.hpp"

// Which nodes are there? A pure object: it is told what was heard and when, and what time it is; it reads no
// clock, sends nothing, and has no thread. Whoever owns it calls `tick` every `tick_ms`.
//
// Think of a lighthouse in fog. That its light was seen proves that it shone; that it is not seen proves
// nothing: the lamp may be out, the fog thick, or the watchman may have slept. From outside, a node that was
// killed, one that is frozen, and one behind a cut cable are the same silence. So:
//
// * Silence decides, with one limit for all of them. It is long enough for a peer that stands still for two
//   seconds, and short enough that a dead one is out within three.
// * A sign counts from when it was *sent*, as far as that can be told: `sent` against the least difference of
//   the two clocks that was seen lately. So network jitter does not lengthen the detection. The credit is
//   bounded, since the clocks of two machines drift.
// * A watchman who slept must not conclude anything. If the owner's own calls had a gap, the gap is added to
//   what every other node is granted, and what the others complain of meanwhile is not held against them.
// * A cable can be cut in one direction. So each heartbeat says whom its sender hears and how old that sign
//   is. Who does not hear us is as good as down for us: both ends come to the same answer.
// * Coming back takes a few heartbeats in sequence that are heard both ways. For a node that goes down again
//   and again it takes more of them each time, so that it does not shake the view.

namespace picket {

struct detector_limits {
  std::int64_t tick_ms = 50;       ///< how often `tick` is called
  std::int64_t interval_ms = 200;  ///< between two heartbeats
  std::int64_t suspect_ms = 1'000; ///< silence after which a node is suspected
  std::int64_t down_ms = 2'800;    ///< silence after which it is down
  /// The same in the words of the other side: so long ago it heard us last. Shorter, since its words have to
  /// travel.
  std::int64_t deaf_ms = 2'300;
  std::int64_t delay_credit_ms = 500; ///< most that a sign is dated back for its delay
  std::int64_t gap_ms = 500;          ///< between two own calls, from which on we stood still
  std::uint32_t rejoin_heartbeats = 3;
  std::uint32_t rejoin_heartbeats_most = 48; ///< for one that flaps; about ten seconds
  std::int64_t flap_memory_ms = 60'000;      ///< up for so long: it does not flap
  std::int64_t stable_ms = 1'000;            ///< the view must stand so long before it is proposed
};

/// Why the state of a node changed.
enum class change_cause : std::uint8_t {
  silent,    ///< nothing was heard of it for the limit
  deaf,      ///< it says that it does not hear us
  link_lost, ///< its connection broke
  left,      ///< it said that it stops
  restarted, ///< it is there with a later boot; what the earlier one held is gone
  back,      ///< it is heard, and hears us
};
std::string_view name_of(change_cause cause) noexcept;

struct member_change {
  std::uint32_t node = 0;
  node_state from = node_state::down;
  node_state to = node_state::down;
  change_cause cause = change_cause::silent;
  std::int64_t silent_ms = 0; ///< since its last sign

  friend bool operator==(const member_change&, const member_change&) = default;
};

/// What a node tells the others of itself.
struct own_figures {
  std::string version;
  std::uint32_t load_permille = 0;
  std::uint32_t free_executors = 0;
  bool ready_ingest = false;
  bool ready_control = false;
  bool draining = false;
  std::uint64_t registry_revision = 0;
};

/// What is known of another member.
struct member_figures {
  std::uint32_t node = 0;
  node_state state = node_state::down;
  std::int64_t silent_ms = -1; ///< since its last sign; -1: never heard
  std::int64_t delay_ms = 0;   ///< of its last heartbeat, beyond the least seen lately
  /// Members in our view, without us, that hear it. Down here and heard there: the cable is cut, not the
  /// node.
  std::uint32_t heard_by = 0;
  std::optional<std::int64_t> clock_ahead_ms; ///< of its wall clock against ours
  protocol::peer::heartbeat last;             ///< as it said; empty if never heard
};

/// The view of one node. Bound: one entry for each member, and of each what its last heartbeat said.
class detector {
public:
  detector(std::uint32_t self, std::uint32_t boot, detector_limits limits, std::int64_t now_ms);

  using changes = std::vector<member_change>;

  /// Who is a member, this node among them or not. A new one is down until it is heard; one that is no member
  /// any more is forgotten, without a change.
  void set_members(const std::vector<std::uint32_t>& nodes, std::int64_t now_ms);

  /// A heartbeat of a node came. One of no member, of an earlier boot or with a number that was seen is no
  /// sign of life (`ignored_heartbeats`).
  changes hear(std::uint32_t node, const protocol::peer::heartbeat& beat, std::int64_t now_ms);
  /// The connection to a node broke. It is suspected; it may be back at once.
  changes link_lost(std::uint32_t node, std::int64_t now_ms);
  /// A node said that it stops.
  changes leave(std::uint32_t node, std::int64_t now_ms);

  struct ticked {
    bool send = false; ///< a heartbeat is due, to all members
    changes changed;
  };
  ticked tick(std::int64_t now_ms);

  /// The next heartbeat. For all members the same one.
  protocol::peer::heartbeat make_heartbeat(const own_figures& own, std::int64_t now_ms, std::int64_t wall_ms);

  std::vector<member_figures> members(std::int64_t now_ms, std::int64_t wall_ms) const;
  /// Down for who is no member.
  node_state state_of(std::uint32_t node) const;
  /// Ids of the members that are not down, this node among them if it is one; ascending.
  std::vector<std::uint32_t> up() const;
  /// Grows with each change of `up`.
  std::uint64_t view_number() const noexcept { return view_number_; }

  /// The view that this node should propose to the registry, which holds `registered` (registry 6.2): it has
  /// the lowest id of those that are up, the view has been stable, and differs. At most one a second.
  std::optional<std::vector<std::uint32_t>> view_to_propose(const std::vector<std::uint32_t>& registered,
                                                            std::int64_t now_ms);

  /// By how much this node's wall clock is ahead of the median of the members that are up (registry 1).
  std::int64_t clock_ahead_ms(std::int64_t now_ms, std::int64_t wall_ms) const;

  std::uint64_t ignored_heartbeats() const noexcept { return ignored_; }
  /// How often, and for how long in all, this node stood still.
  std::uint64_t gaps() const noexcept { return gaps_; }
  std::int64_t gaps_ms() const noexcept { return gaps_ms_; }

private:
  /// The least of the last half to one minute.
  class recent_least {
  public:
    void note(std::int64_t value, std::int64_t now_ms);
    std::int64_t least() const noexcept { return current_ < before_ ? current_ : before_; }

  private:
    static constexpr std::int64_t window_ms = 30'000;
    std::int64_t current_ = INT64_MAX;
    std::int64_t before_ = INT64_MAX;
    std::int64_t began_ms_ = INT64_MIN;
  };

  /// How far a node's wall clock is from our steady one: of the last few heartbeats the one that travelled
  /// fastest. Against our steady clock, so that a jump of our wall clock shows at once.
  class clock_difference {
  public:
    void note(std::int64_t wall_ms, std::int64_t now_ms);
    std::optional<std::int64_t> ahead_ms(std::int64_t now_ms, std::int64_t wall_ms) const;

  private:
    static constexpr std::size_t kept = 16;
    std::array<std::int64_t, kept> differences_{};
    std::size_t count_ = 0;
  };

  struct member {
    node_state state = node_state::down;
    bool heard = false;          ///< ever, since it is a member
    std::int64_t sign_ms = 0;    ///< when its last sign was sent, on our clock
    std::int64_t counted_ms = 0; ///< when the last heartbeat came that counted for its coming back
    std::int64_t up_since_ms = 0;
    std::int64_t delay_ms = 0;
    std::uint32_t in_sequence = 0;            ///< heartbeats heard both ways, while it is down
    std::uint32_t wanted = 0;                 ///< of them, until it is up
    bool unlinked = false;                    ///< its connection broke, and nothing came since
    std::optional<std::int64_t> complaint_ms; ///< it hears us, so long ago; nothing: it does not
    std::int64_t complained_at_ms = 0;
    recent_least least_difference;
    clock_difference clock;
    protocol::peer::heartbeat last;
  };

  void note_time(std::int64_t now_ms);
  void take(member& of, const protocol::peer::heartbeat& beat, std::int64_t now_ms);
  /// How long it has not heard us, by its own words, without the time for which we stood still.
  std::int64_t deaf_for_ms(const member& of) const;
  void count_return(member& of, std::int64_t now_ms);
  void judge(std::uint32_t node, member& of, std::int64_t now_ms, changes& into);
  void change(std::uint32_t node, member& of, node_state to, change_cause why, std::int64_t now_ms,
              changes& into);

  std::uint32_t self_;
  std::uint32_t boot_;
  detector_limits limits_;
  bool self_is_member_ = false;
  std::map<std::uint32_t, member> members_;
  std::uint64_t sequence_ = 0;
  std::uint64_t view_number_ = 1;
  std::int64_t view_changed_ms_;
  std::int64_t proposed_ms_;
  std::int64_t last_call_ms_;
  std::int64_t woke_ms_;
  std::int64_t next_send_ms_;
  int extra_sends_ = 0; ///< after a gap: a heartbeat with each tick
  std::uint64_t ignored_ = 0;
  std::uint64_t gaps_ = 0;
  std::int64_t gaps_ms_ = 0;
};

} // namespace picket
