/*
 * vmshare.hpp: handles for C++11 that end what they own.
 *
 *     vmshare::vm vm;
 *     if (vm.open(host) != RS_OK) ...
 *     vmshare::ractor worker;
 *     if (worker.open(vm, "worker") != RS_OK) ...
 *     rs_check_frozen(vm.get(), worker.id(), object);
 *
 * Ownership is all they add: every other call is C's, on get() and id(). Handles move and are not
 * copied. Nothing throws, since many VMs are built without exceptions: what can fail returns the
 * rs_status of the C function. A destructor can't, so call close() where it may fail and matters (a
 * vm with a walk under way, a slot off the main ractor's thread).
 */

#ifndef VMSHARE_HPP
#define VMSHARE_HPP

#include <utility>

#include "vmshare.h"

namespace vmshare
{

/* Owns an embedding VM; rs_vm_free ends it. It must outlive its ractors and slots. */
class vm
{
  public:
    vm() noexcept = default;
    vm(const vm &) = delete;
    vm &operator=(const vm &) = delete;
    vm(vm &&other) noexcept { swap(other); }
    vm &operator=(vm &&other) noexcept
    {
        vm(std::move(other)).swap(*this);
        return *this;
    }
    ~vm() { close(); }

    /* rs_vm_new. RS_BUSY if this handle owns a vm already. */
    rs_status open(const rs_host &host) noexcept
    {
        return handle_ != nullptr ? RS_BUSY : rs_vm_new(&host, &handle_, &main_);
    }

    /* rs_vm_free, unless there is nothing to end. If it fails, the handle still owns the vm. */
    rs_status close() noexcept
    {
        const rs_status status = handle_ == nullptr ? RS_OK : rs_vm_free(handle_);
        if (status == RS_OK) {
            handle_ = nullptr;
            main_ = RS_NO_RACTOR;
        }
        return status;
    }

    /* The handle of the C functions; NULL if this owns none. */
    rs_vm *get() const noexcept { return handle_; }

    /* The main ractor, which ends with the vm. */
    rs_ractor main() const noexcept { return main_; }

    void swap(vm &other) noexcept
    {
        std::swap(handle_, other.handle_);
        std::swap(main_, other.main_);
    }

  private:
    rs_vm *handle_ = nullptr;
    rs_ractor main_ = RS_NO_RACTOR;
};

/* Owns something that is registered with a vm under an id; `End` is what forgets it. */
template <rs_status (*End)(rs_vm *, uint64_t)> class registered
{
  public:
    registered() noexcept = default;
    registered(const registered &) = delete;
    registered &operator=(const registered &) = delete;
    registered(registered &&other) noexcept { swap(other); }
    registered &operator=(registered &&other) noexcept
    {
        registered(std::move(other)).swap(*this);
        return *this;
    }
    ~registered() { close(); }

    /* Forgets it, unless there is nothing to forget. If that fails, the handle still owns it. */
    rs_status close() noexcept
    {
        const rs_status status = id_ == 0 ? RS_OK : End(vm_, id_);
        if (status == RS_OK)
            id_ = 0;
        return status;
    }

    /* The id of the C functions; 0 if this owns none. */
    uint64_t id() const noexcept { return id_; }

    void swap(registered &other) noexcept
    {
        std::swap(vm_, other.vm_);
        std::swap(id_, other.id_);
    }

  protected:
    rs_vm *vm_ = nullptr;
    uint64_t id_ = 0;
};

/* Owns a ractor; rs_ractor_free ends it. */
class ractor : public registered<rs_ractor_free>
{
  public:
    /* rs_ractor_new. RS_BUSY if this handle owns a ractor already. */
    rs_status open(const vm &owner, const char *name = nullptr) noexcept
    {
        if (id_ != RS_NO_RACTOR)
            return RS_BUSY;
        vm_ = owner.get();
        return rs_ractor_new(vm_, name, &id_);
    }
};

/* Owns a slot; rs_slot_free ends it, on the main ractor's thread. */
class slot : public registered<rs_slot_free>
{
  public:
    /* rs_slot_new. RS_BUSY if this handle owns a slot already. */
    rs_status open(const vm &owner, uint32_t kind, const char *name,
                   const char *class_name = nullptr) noexcept
    {
        if (id_ != RS_NO_SLOT)
            return RS_BUSY;
        vm_ = owner.get();
        return rs_slot_new(vm_, kind, name, class_name, &id_);
    }
};

} // namespace vmshare

#endif /* VMSHARE_HPP */
