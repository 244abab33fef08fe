; The six steps of a proposal on the mailing list of Emacs developers (5 July 2023): a child process
; works on its parent's objects as if they were its own. What the parent says is indented.
;
; 1, 2  The child asks for the variable `foo`, which is a list (1 2 3 4).
; 3     The parent keeps the list safe from its collector, and tells the child what to call it.
; 4     The child makes a new object of its own, #<remote cons ...>.
; 5     `setcar` on that asks the parent to perform the actual modification.
; 6     To copy it, or before the child exits, a remote object is replaced by an ordinary one.

(define foo (list 1 2 3 4))
(define (pins child) (cdr (car (link-counts child))))
(define (show)
  (say "        foo is " foo "; objects kept for the child: " (pins child))
  nil)

; What both children do.
(define work
  '(begin
     (say "1-4. The child asks for foo:")
     (define foo (remote 'foo))
     (say "(remote 'foo)      => " foo)
     (parent-call 'show)
     (say "     It reads:")
     (say "(car foo)          => " (car foo))
     (say "(nth 2 foo)        => " (nth 2 foo))
     (say "(length foo)       => " (length foo))
     (say "(cdr foo)          => " (cdr foo))
     (say "5.   It writes a list of its own:")
     (define value (list 'a 'list 'of 'the 'child))
     (say "(setcar foo value) => " (setcar foo value))
     (parent-call 'show)
     (say "(remote-text foo)  => " (copy (remote-text foo)))
     (say "(eq? value (car foo)) => " (eq? value (car foo)))
     (say "6.   It takes a copy, which is its own from then on:")
     (say "(copy foo)         => " (copy foo))))

(export-variable 'foo)
(export-variable 'show)
(define child (spawn-child work))
(define status (wait-child child))
(say "     The child exits with status " status ". What foo held of it has become an ordinary object:")
(show)

(say)
(say "The same with kill -9 instead of the exit:")
(set! foo (list 1 2 3 4))
(define (kill-me) (kill-child child) nil)
(export-variable 'foo)
(export-variable 'kill-me)
(define child (spawn-child (list 'begin work '(parent-call 'kill-me))))
(define status (wait-child child))
(say "     The child was killed by signal " (- 0 status) ". The parent goes on; what was the child's is gone:")
(show)
(define caught (try (car (car foo)) (catch (e) e)))
(say "        (car (car foo)): " (condition-kind caught) ": " (condition-message caught))
(setcar foo 1)
(show)
