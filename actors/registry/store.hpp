#pragma once

#include <cstdint>

#include "store/registry/registry_tables.hpp"

namespace picket::registry {

enum class commit_status : std::uint8_t {
  committed,
  conflict,    ///< somebody else committed first; decide again on the new view
  no_space,    ///< surely not done
  unavailable, ///< surely not done
  unknown      ///< may be done
};

struct commit_outcome {
  commit_status status = commit_status::unavailable;
  std::uint64_t revision = 0; ///< of the commit, or of the head that was in the way
  error why;                  ///< where it was not committed
};

/// What a back end of the registry is. Blocking; called from the registry's own thread only.
class registry_store {
public:
  virtual ~registry_store() = default;

  /// Commits the batch if the head still has the sequence number `expected`; all or nothing.
  virtual commit_outcome commit(std::uint64_t expected, const store::registry_batch& batch,
                                std::int64_t limit_ms) = 0;
  /// Name for status pages.
  virtual std::string_view name() const noexcept = 0;
};

/// The registry of a single node: the replica's own tables, no other process. Commits wait for the disk.
class embedded_store final : public registry_store {
public:
  explicit embedded_store(store::registry_tables& tables)
      : tables_{tables} {}
  commit_outcome commit(std::uint64_t expected, const store::registry_batch& batch,
                        std::int64_t limit_ms) override;
  std::string_view name() const noexcept override { return "embedded"; }

private:
  store::registry_tables& tables_;
};

} // namespace picket::registry
