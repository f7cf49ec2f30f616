// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Token
/// @notice A fungible token after ERC-20 with a fixed supply; refusals are the custom errors of ERC-6093.
contract Token {
    /// @notice What the token is called.
    string public name;

    /// @notice The short sign it is listed under.
    string public symbol;

    /// @notice How many digits of an amount stand after the point when it is shown.
    uint8 public constant decimals = 18;

    /// @notice How many units exist in all.
    uint256 public totalSupply;

    /// @notice How many units an account holds.
    mapping(address account => uint256 units) public balanceOf;

    /// @notice How many units of `owner` the `spender` may still move.
    mapping(address owner => mapping(address spender => uint256 units)) public allowance;

    /// @notice Units moved; `from` is zero for the first supply.
    event Transfer(address indexed from, address indexed to, uint256 value);

    /// @notice An allowance was set.
    event Approval(address indexed owner, address indexed spender, uint256 value);

    /// @notice `sender` holds `balance`, less than the `needed` units.
    error ERC20InsufficientBalance(address sender, uint256 balance, uint256 needed);

    /// @notice Units cannot leave this account.
    error ERC20InvalidSender(address sender);

    /// @notice Units cannot go to this account.
    error ERC20InvalidReceiver(address receiver);

    /// @notice `spender` may move `allowance`, less than the `needed` units.
    error ERC20InsufficientAllowance(address spender, uint256 allowance, uint256 needed);

    /// @notice This account cannot give allowances.
    error ERC20InvalidApprover(address approver);

    /// @notice This account cannot be given an allowance.
    error ERC20InvalidSpender(address spender);

    /// @param name_ what the token is called
    /// @param symbol_ its short sign
    /// @param initialSupply units that the deployer receives, all there will ever be
    constructor(string memory name_, string memory symbol_, uint256 initialSupply) {
        name = name_;
        symbol = symbol_;
        totalSupply = initialSupply;
        balanceOf[msg.sender] = initialSupply;
        emit Transfer(address(0), msg.sender, initialSupply);
    }

    /// @notice Moves `value` of the caller's units to `to`.
    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    /// @notice Lets `spender` move up to `value` of the caller's units; the greatest value means no limit.
    function approve(address spender, uint256 value) external returns (bool) {
        if (msg.sender == address(0)) revert ERC20InvalidApprover(msg.sender);
        if (spender == address(0)) revert ERC20InvalidSpender(spender);
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    /// @notice Moves `value` units of `from` to `to`, out of the caller's allowance.
    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) {
            if (allowed < value) revert ERC20InsufficientAllowance(msg.sender, allowed, value);
            // The zero address approves nobody, so that nothing can be moved for it, not even no units.
            if (from == address(0)) revert ERC20InvalidApprover(from);
            allowance[from][msg.sender] = allowed - value;
        }
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) private {
        if (from == address(0)) revert ERC20InvalidSender(from);
        if (to == address(0)) revert ERC20InvalidReceiver(to);
        uint256 held = balanceOf[from];
        if (held < value) revert ERC20InsufficientBalance(from, held, value);
        // The receiver's balance is read after the sender's is written: they may be one account.
        balanceOf[from] = held - value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}
