# SPDX-License-Identifier: Apache-2.0
# pragma version 0.4.3
"""
@title Vault
@license Apache-2.0
@notice Keeps each account's native coin apart and pays it back on demand.
@dev Paying out runs the receiver's code, so whatever moves coin holds one lock.
"""

event Deposited:
    account: indexed(address)
    amount: uint256

event Withdrawn:
    account: indexed(address)
    to: indexed(address)
    amount: uint256

# What each account may withdraw.
balanceOf: public(HashMap[address, uint256])

# The sum of all of them; coin forced upon the contract is not in it.
total: public(uint256)


@external
@payable
@nonreentrant
def deposit():
    """
    @notice Adds the coin sent to the caller's balance.
    """
    self._deposit(msg.sender, msg.value)


@external
@payable
@nonreentrant
def depositFor(account: address):
    """
    @notice Adds the coin sent to another account's balance.
    """
    assert account != empty(address), "Vault: no account"
    self._deposit(account, msg.value)


@external
@nonreentrant
def withdraw(amount: uint256, to: address = msg.sender):
    """
    @notice Pays `amount` of the caller's balance to `to`, the caller unless named.
    """
    assert to != empty(address), "Vault: no receiver"
    held: uint256 = self.balanceOf[msg.sender]
    assert amount <= held, "Vault: not enough"
    self.balanceOf[msg.sender] = held - amount
    self.total -= amount
    raw_call(to, b"", value=amount)
    log Withdrawn(account=msg.sender, to=to, amount=amount)


@external
@view
def surplus() -> uint256:
    """
    @notice Coin the contract has beyond what it owes.
    """
    return self.balance - self.total


@external
@payable
@nonreentrant
def __default__():
    """
    @notice Takes coin sent without a call as a deposit; refuses calls it does not know.
    """
    assert len(msg.data) == 0, "Vault: no such function"
    self._deposit(msg.sender, msg.value)


@internal
def _deposit(account: address, amount: uint256):
    assert amount != 0, "Vault: nothing sent"
    self.balanceOf[account] += amount
    self.total += amount
    log Deposited(account=account, amount=amount)
